"""Text that is safe in XML."""

from __future__ import annotations

import re

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def plain(text: str) -> str:
    """Return ``text`` on one line: runs of white space are one space, what XML forbids is left out."""
    if not text.isprintable():  # which no text is that holds anything of what is forbidden
        text = _CONTROL.sub("", text)
    return " ".join(text.split())


def escaped(text: str) -> str:
    """Return ``text`` as the content of an element or of an attribute in double quotes, on one line."""
    return plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
