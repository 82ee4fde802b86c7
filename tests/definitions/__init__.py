"""Channels as users write them."""
