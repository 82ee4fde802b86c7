"""Settings: every option, its default and meaning, and where each value comes from."""

from exstream.config.chain import DEFAULT, Configuration, load
from exstream.config.settings import LOG_LEVELS, OPTIONS, Option, Settings

__all__ = ["DEFAULT", "LOG_LEVELS", "OPTIONS", "Configuration", "Option", "Settings", "load"]
