"""Exstream: your own media as round-the-clock television channels."""

__version__ = "0.1.0"
