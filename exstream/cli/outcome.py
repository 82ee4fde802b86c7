"""What a command tells the shell that called it."""

from __future__ import annotations

import sys
from enum import IntEnum

from exstream.errors import ExstreamError, StoreUnreachable, Unreachable


class ExitCode(IntEnum):
    """How a command ended."""

    OK = 0
    FAILURE = 1
    """It failed, or it was called in a way it does not understand."""
    PARTIAL = 2
    """It did what it could, and said what it could not do."""
    UNREACHABLE = 3
    """Something outside of this machine's reach does not answer."""
    INTERRUPTED = 130
    """Ctrl-C, as every shell counts it."""


def code_of(error: ExstreamError) -> ExitCode:
    """Return the exit code for a command that ``error`` ended."""
    unreachable = isinstance(error, StoreUnreachable | Unreachable)
    return ExitCode.UNREACHABLE if unreachable else ExitCode.FAILURE


def plain(text: str) -> str:
    """Return ``text`` with control characters and half-characters as escapes: a file's name steers no terminal."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text
    )


def say(sentence: str) -> None:
    """Write to standard error, where it does not disturb what a script reads; several lines stay several."""
    for line in sentence.splitlines():
        sys.stderr.write(f"{plain(line)}\n")
    sys.stderr.flush()


def write(line: str) -> None:
    """Write a line of the answer to standard output."""
    sys.stdout.write(f"{plain(line)}\n")


def tell(error: ExstreamError) -> ExitCode:
    """Write what went wrong, one line per fault, and return the exit code."""
    for line in str(error).splitlines():
        say(f"exstream: {line}")
    return code_of(error)
