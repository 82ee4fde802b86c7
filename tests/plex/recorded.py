"""What real servers have answered, where it is at hand; and answers in both formats written from one tree."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import pytest

ROOT = Path(__file__).resolve().parents[2]
ELEMENTS = {"movie": "Video", "episode": "Video", "clip": "Video", "track": "Track", "photo": "Photo"}
"""What an entry is called in XML; everything else is a ``Directory``."""


def recording(name: str) -> bytes:
    """Return a recorded answer (TEST_PLEX_ANSWERS, else beside the checkout), or skip: they cannot be installed."""
    folder = Path(os.environ.get("TEST_PLEX_ANSWERS") or ROOT.parent / "shared" / "plexdata")
    if not (folder / name).is_file():
        pytest.skip("there are no recorded answers: name their folder in TEST_PLEX_ANSWERS")
    return (folder / name).read_bytes()


def as_json(container: Mapping[str, Any]) -> bytes:
    """Write a container as a server of today does."""
    return json.dumps({"MediaContainer": container}).encode()


def as_xml(container: Mapping[str, Any]) -> bytes:
    """Write the same container as XML."""
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + _element("MediaContainer", container).encode()


def _element(name: str, tree: Mapping[str, Any]) -> str:
    attributes, inner = [], []
    for key, value in tree.items():
        if isinstance(value, list):
            inner += [
                _element(ELEMENTS.get(each.get("type", ""), "Directory") if key == "Metadata" else key, each)
                for each in value
            ]
        else:
            said = str(int(value)) if isinstance(value, bool) else str(value)
            attributes.append(f" {key}={quoteattr(said)}")
    return f"<{name}{''.join(attributes)}>{''.join(inner)}</{name}>"
