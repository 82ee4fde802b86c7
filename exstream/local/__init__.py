"""Folders of one's own media: what their files are called and where they lie."""
