"""Channels as users write them: YAML files to definitions, with every fault named at once."""

from exstream.definitions.directory import Definitions, load_directory

__all__ = ["Definitions", "load_directory"]
