"""Where the data that ships with the product lies: the repository in a checkout, the package in a wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def data_path(name: str) -> Path:
    """Return the folder of shipped data called ``name`` (``channels``, ``migrations``).

    Raises FileNotFoundError when the installation is incomplete.
    """
    for folder in (_PACKAGE / "_data" / name, _PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    message = f"the installation has no {name!r} folder: install exstream again"
    raise FileNotFoundError(message)
