"""Channel logos: the user's picture made safe and small, or the channel's initials on a colour of its own."""

from __future__ import annotations

import asyncio
import colorsys
from collections.abc import Callable
from hashlib import blake2b
from io import BytesIO
from pathlib import Path
from threading import Lock

import structlog
from cachetools import LRUCache
from PIL import Image, ImageDraw, ImageFont, UnidentifiedImageError

from exstream.model.channel import ChannelDefinition

SIDE = 256
FILE_BYTES = 8 * 1024 * 1024
PIXELS = 32_000_000
CACHED = 500

_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "ICO")
_log = structlog.get_logger(__name__)


class Logos:
    """Makes each logo once, off the event loop."""

    def __init__(self, folder: Path | None, typeface: Callable[[], Path]) -> None:
        """``folder`` is where logo files lie, and nowhere else; ``typeface`` gives a TrueType file."""
        self._folder = folder
        self._typeface = typeface
        self._made: LRUCache[tuple[str, ...], bytes] = LRUCache(CACHED)
        self._one_at_a_time = Lock()

    async def png(self, channel: ChannelDefinition) -> bytes:
        """Return the channel's logo as a PNG file."""
        return await asyncio.to_thread(self._png, channel)

    def _png(self, channel: ChannelDefinition) -> bytes:
        source = self._file(channel)
        key: tuple[str, ...] = (channel.id, channel.name)
        if source is not None:
            status = source.stat()
            key = (str(source), str(status.st_mtime_ns), str(status.st_size))
        with self._one_at_a_time:
            made = self._made.get(key)
            if made is None:
                made = (_from_file(source) if source is not None else None) or self._initials(channel)
                self._made[key] = made
            return made

    def _file(self, channel: ChannelDefinition) -> Path | None:
        """Return the logo file, if there is one in the folder of definitions and not elsewhere."""
        if self._folder is None or not channel.logo or "://" in channel.logo:
            return None
        folder = self._folder.resolve()
        source = (folder / channel.logo).resolve()
        return source if source.is_relative_to(folder) and source.is_file() else None

    def _initials(self, channel: ChannelDefinition) -> bytes:
        image = Image.new("RGB", (SIDE, SIDE), _colour(channel.id))
        text = initials(channel.name) or channel.number
        size = SIDE // 2 if len(text) < 3 else SIDE * 3 // 8
        typeface = ImageFont.truetype(str(self._typeface()), size)
        ImageDraw.Draw(image).text((SIDE / 2, SIDE / 2), text, font=typeface, fill="white", anchor="mm")
        return _encoded(image)


def initials(name: str) -> str:
    """Return up to three letters for ``name``: of its words, or of its only word."""
    words = [word for word in "".join(c if c.isalnum() else " " for c in name).split() if word]
    if len(words) == 1:
        return words[0][:2].upper()
    return "".join(word[0] for word in words[:3]).upper()


def _colour(channel_id: str) -> tuple[int, int, int]:
    """Choose a colour for ever, dark enough for white letters."""
    hue = int.from_bytes(blake2b(channel_id.encode(), digest_size=2).digest(), "big") / 65_536
    red, green, blue = colorsys.hls_to_rgb(hue, 0.3, 0.6)
    return round(red * 255), round(green * 255), round(blue * 255)


def _from_file(source: Path) -> bytes | None:
    """Encode the file anew, so that nothing of it but the picture goes out; None when it is no usable picture."""
    try:
        if source.stat().st_size > FILE_BYTES:
            _log.warning("logo file too large, initials instead", file=source.name, limit_bytes=FILE_BYTES)
            return None
        with Image.open(source, formats=_FORMATS) as image:
            if image.width * image.height > PIXELS:
                _log.warning("logo has too many pixels, initials instead", file=source.name, limit=PIXELS)
                return None
            picture = image.convert("RGBA")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, ValueError, SyntaxError) as error:
        _log.warning("logo cannot be read, initials instead", file=source.name, reason=str(error))
        return None
    picture.thumbnail((2 * SIDE, 2 * SIDE))
    return _encoded(picture)


def _encoded(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()
