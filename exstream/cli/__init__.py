"""The command line: ``exstream``, and ``python -m exstream``."""

from __future__ import annotations

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command that the arguments name, and end with its exit code."""
    from exstream.cli.program import run

    sys.exit(run(sys.argv[1:]))
