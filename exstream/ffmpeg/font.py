"""The typeface of cards and burnt-in text: Fira Sans (SIL Open Font License), from its own package."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def font_file() -> Path:
    """Return the absolute path of a TrueType file with Latin, Greek and Cyrillic letters."""
    return Path(str(files("fontpkg_fira_sans") / "files" / "FiraSans-Regular.ttf"))
