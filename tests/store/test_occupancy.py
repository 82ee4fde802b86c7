"""One server for one data directory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from exstream.errors import StoreError
from exstream.store.occupancy import occupied


def test_a_second_server_is_told_who_has_the_directory(tmp_path: Path) -> None:
    """While one process holds the directory another is refused, by the holder's number; then it may have it."""
    code = "import sys; from pathlib import Path; from exstream.store.occupancy import occupied\n"
    code += "with occupied(Path(sys.argv[1])): pass"
    with occupied(tmp_path):
        refused = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
        )
    granted = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )

    assert f"in use by another Exstream (process {os.getpid()})" in refused.stderr
    assert granted.returncode == 0


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """Where the directory should be there is a file: the sentence names it and the setting."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="EXSTREAM_DATA_DIR"), occupied(tmp_path / "file" / "data"):
        pass
