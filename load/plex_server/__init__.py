"""A Plex Media Server for tests and benchmarks: a process of its own with a library that can be changed, and harmed."""

from load.plex_server.client import PlexServer
from load.plex_server.plans import MediaFile, Plan, big_library, empty_library, sample_library, small_library
from load.plex_server.process import plex_server, running_plex_server

__all__ = [
    "MediaFile",
    "Plan",
    "PlexServer",
    "big_library",
    "empty_library",
    "plex_server",
    "running_plex_server",
    "sample_library",
    "small_library",
]
