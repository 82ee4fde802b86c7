"""From an item of the catalogue to bytes that can be played."""
