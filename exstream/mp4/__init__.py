"""Fragmented MP4 (ISO/IEC 14496-12), without I/O: boxes, the opening of a movie, and its fragments."""
