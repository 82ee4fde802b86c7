"""The bytes of files, as a server sends them: ranges, entity tags, and addresses that grow old."""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path

from load.plex_server.answers import FORBIDDEN, HTML, NOT_FOUND, Answer, html
from load.plex_server.asking import Ask, Switches
from load.plex_server.catalogue import Catalogue
from load.plex_server.model import Part

TYPES = {
    "mkv": "video/x-matroska",
    "mp4": "video/mp4",
    "ts": "video/mp2t",
    "mp3": "audio/mpeg",
    "srt": "text/plain",
}
_RANGE = re.compile(r"^bytes=(?P<first>\d*)-(?P<last>\d*)$")


class Parts:
    """Sends files of entries, subtitles beside them, and pictures."""

    def __init__(self, catalogue: Catalogue, switches: Switches) -> None:
        self._catalogue = catalogue
        self._switches = switches

    def part(self, ask: Ask, number: str, stamp: str) -> Answer:
        """Answer a file, or a range of it."""
        part = self._catalogue.parts.get(int(number))
        if part is None or (self._switches.strict_parts and stamp != str(part.stamp)):
            return html(*NOT_FOUND)
        if ask.flag("download") and not ask.account.downloads:
            return html(*FORBIDDEN)
        answer = stretch_of(ask, Path(part.disk) if part.disk else None, _tag(part), part.container)
        if ask.flag("download") and answer.status < 300:
            answer.headers["Content-Disposition"] = f'attachment; filename="{part.file.rpartition("/")[2]}"'
        return answer

    def stream(self, ask: Ask, number: str) -> Answer:
        """Answer a track that is a file of its own; its ``disk`` is where that lies."""
        for part in self._catalogue.parts.values():
            for stream in part.streams:
                if stream.get("key") == f"/library/streams/{number}" and "disk" in stream:
                    disk = Path(str(stream["disk"]))
                    return stretch_of(ask, disk, f'"{number}"', disk.suffix[1:])
        return html(*NOT_FOUND)

    def picture(self, _: Ask) -> Answer:
        """Answer a small picture."""
        return Answer(200, PICTURE, "image/png", {"Cache-Control": "max-age=2592000"})


def stretch_of(ask: Ask, disk: Path | None, tag: str, container: str) -> Answer:
    """Answer a file, or the range of it that is asked for (206, or 416 beyond its end)."""
    if disk is None or not disk.is_file():
        return html(*NOT_FOUND)
    size = disk.stat().st_size
    headers = {"Accept-Ranges": "bytes", "ETag": tag, "X-Plex-Protocol": "1.0"}
    answer = Answer(
        200, b"", TYPES.get(container.lower(), "application/octet-stream"), headers, disk, (0, size)
    )
    wanted = _RANGE.match(ask.headers.get("range", ""))
    if wanted is None or ask.headers.get("if-range", tag) != tag:
        return answer
    if wanted["first"]:
        first = int(wanted["first"])
        last = min(int(wanted["last"] or size - 1), size - 1)
    else:
        first, last = max(0, size - int(wanted["last"] or 0)), size - 1
    if first > last:
        return Answer(416, b"", HTML, headers | {"Content-Range": f"bytes */{size}"})
    answer.status, answer.stretch = 206, (first, last - first + 1)
    answer.headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return answer


def _tag(part: Part) -> str:
    return f'"{zlib.crc32(f"{part.id}/{part.stamp}/{part.size}".encode()):08x}"'


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _picture() -> bytes:
    pixels = zlib.compress(b"".join(b"\0" + bytes((229, 160, 13)) * 8 for _ in range(12)))
    head = struct.pack(">IIBBBBB", 8, 12, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


PICTURE = _picture()
