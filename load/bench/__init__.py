"""Benchmarks: figures of a running server beside the floor that raw ffmpeg, Python or the network sets."""
