"""Channels as users write them: YAML files to definitions, with every fault named at once."""

from exstream.definitions.directory import Definitions, load_directory
from exstream.definitions.mentions import Mention, Names, unknown

__all__ = ["Definitions", "Mention", "Names", "load_directory", "unknown"]
