"""Folders of one's own media."""
