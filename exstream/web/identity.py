"""Who the tuner is: made at the first start, kept in ``device.json``, and never silently made anew."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from exstream.errors import ConfigurationError
from exstream.guide.device import DEVICE_PREFIX, Device, checked, is_valid, udn

FILE = "device.json"


def load_device(data_dir: Path, friendly_name: str) -> Device:
    """Return the device whose identity is kept in ``data_dir``, having made it if there is none yet.

    Raises `ConfigurationError` when the file cannot be used or written.
    """
    file = data_dir / FILE
    try:
        kept = file.read_text("utf-8")
    except FileNotFoundError:
        return _made(file, friendly_name)
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(file, str(error)) from None
    return _read(file, kept, friendly_name)


def _read(file: Path, kept: str, friendly_name: str) -> Device:
    try:
        facts = json.loads(kept)
        texts = [facts[name] for name in ("device_id", "udn", "auth")]
    except (ValueError, TypeError, KeyError) as error:
        raise _unusable(file, f"{type(error).__name__}: {error}") from None
    if not all(isinstance(text, str) and text for text in texts) or not is_valid(texts[0]):
        raise _unusable(file, "a value is missing or not valid")
    device_id, known_as, auth = texts
    return Device(device_id, known_as, auth, friendly_name)


def _made(file: Path, friendly_name: str) -> Device:
    device_id = checked(DEVICE_PREFIX + secrets.token_hex(2))
    device = Device(device_id, udn(device_id), secrets.token_urlsafe(18), friendly_name)
    facts = {"device_id": device.device_id, "udn": device.udn, "auth": device.auth}
    unfinished = file.with_suffix(".tmp")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("w", encoding="utf-8") as out:
            unfinished.chmod(0o600)
            out.write(json.dumps(facts, indent=2) + "\n")
            out.flush()
            os.fsync(out.fileno())
        unfinished.replace(file)
    except OSError as error:
        raise ConfigurationError(
            f"cannot keep the tuner's identity in {file}: {error.strerror}; make the data directory writable"
        ) from None
    return device


def _unusable(file: Path, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"{file} cannot be used ({reason}): restore it from a backup, or delete it to become a new tuner, which"
        " players then have to add again"
    )
