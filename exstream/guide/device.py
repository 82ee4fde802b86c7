"""The HDHomeRun device that the channels appear as."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

DEVICE_PREFIX = "10A"
"""Ids that begin with it belong to devices that clients take for current ones, not for legacy tuners."""

_EVEN = (0xA, 0x5, 0xF, 0x6, 0x7, 0xC, 0x1, 0xB, 0x9, 0x2, 0x8, 0xD, 0x4, 0x3, 0xE, 0x0)
"""What the digits at even places (from the left, beginning with 0) count in the checksum."""
_DIGITS = frozenset("0123456789ABCDEF")
_WILDCARD = "FFFFFFFF"


@dataclass(frozen=True, slots=True)
class Device:
    """Who this tuner is: made once, kept for ever, because clients know it by these."""

    device_id: str
    """Eight upper-case hexadecimal digits with a valid checksum."""
    udn: str
    """The UUID that UPnP knows it by, without the ``uuid:`` before it."""
    auth: str
    """24 random URL-safe characters; clients only ask that there are some."""
    friendly_name: str
    model_number: str = "HDHR5-4US"
    firmware_name: str = "hdhomerun5_atsc"
    firmware_version: str = "20250815"


def checked(seven_digits: str) -> str:
    """Return the device id that begins with ``seven_digits`` (hexadecimal): for any seven one eighth is valid."""
    digits = seven_digits.upper()
    if len(digits) != 7 or not _DIGITS.issuperset(digits):
        raise ValueError(f"seven hexadecimal digits are needed, not {seven_digits!r}")
    return f"{digits}{_checksum(digits + '0'):X}"


def is_valid(device_id: str) -> bool:
    """Tell whether ``device_id`` may be a device's: eight digits, a valid checksum, not nought and not "any device"."""
    digits = device_id.upper()
    return (
        len(digits) == 8
        and _DIGITS.issuperset(digits)
        and digits not in {_WILDCARD, "00000000"}
        and _checksum(digits) == 0
    )


def udn(device_id: str) -> str:
    """Return the UUID of the device ``device_id``."""
    return str(uuid5(NAMESPACE_URL, f"hdhomerun://{device_id}"))


def _checksum(digits: str) -> int:
    checksum = 0
    for place, digit in enumerate(digits):
        value = int(digit, 16)
        checksum ^= value if place % 2 else _EVEN[value]
    return checksum
