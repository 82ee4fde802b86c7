"""Plex Media Server: its words, and what they mean here."""
