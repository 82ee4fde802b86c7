"""As whom this installation speaks to Plex: one identifier, made once, which accounts list as a device."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from uuid import UUID, uuid4

from exstream.errors import ConfigurationError

FILE = "plex-client-id"


def client_id(data_dir: Path) -> str:
    """Return the identifier that is kept in ``data_dir``, having made it if there is none that can be used.

    Raises ConfigurationError where it cannot be kept: with a new one each time, every start would be a new device.
    """
    file = data_dir / FILE
    with suppress(FileNotFoundError, UnicodeDecodeError, ValueError):
        try:
            return str(UUID(file.read_text("ascii").strip()))
        except PermissionError:
            raise ConfigurationError(f"{file} may not be read: give this user the right to read it") from None
    made = str(uuid4())
    unfinished = file.with_name(f"{FILE}.{os.getpid()}")
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(made + "\n", "ascii")
        unfinished.replace(file)
    except OSError as error:
        raise ConfigurationError(
            f"cannot keep this installation's identifier in {file} ({error.strerror}): make the data directory writable"
        ) from None
    return made
