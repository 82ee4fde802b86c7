"""The process that looks into files, so that a file which kills or hangs its reader takes nobody with it.

Reads one JSON string (a path) a line from standard input and answers each with one JSON line, a `Report`.
"""

from __future__ import annotations

import json
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import av
import av.logging
from av.stream import Disposition

from exstream.ffmpeg.allowed import input_address, input_limits
from exstream.ffmpeg.probe_report import AudioReport, Report, SubtitleReport, VideoReport, why_unreadable

_PROGRESSIVE_ORDERS = frozenset({0, 1})
_PACKETS_TO_A_PICTURE = 100
_HEAD_BYTES = 4_096


def main() -> None:
    """Answer every path on standard input."""
    av.logging.set_level(av.logging.ERROR)
    for line in sys.stdin:
        answer = look(json.loads(line))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def look(path: str) -> Report:
    """Return what the file at ``path`` holds, or the fault that kept us from looking."""
    try:
        with Path(path).open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except (OSError, ValueError) as fault:
        return {"fault": getattr(fault, "strerror", None) or str(fault)}
    address, protocols = input_address(path)
    with av.logging.Capture(local=False) as log:
        try:
            with av.open(address, options=input_limits(protocols), metadata_errors="replace") as container:
                return _report(container)
        except (av.FFmpegError, UnicodeError) as fault:
            complaint = "; ".join([*(message.strip() for _, _, message in log), str(fault)])
            return {"fault": why_unreadable(head, complaint)}


def _report(container: Any) -> Report:
    duration = container.duration or 0
    return {
        "container": container.format.name.partition(",")[0],
        "duration_ms": max(0, duration // 1_000),
        "video": [_video(container, stream, index) for index, stream in enumerate(container.streams.video)],
        "audio": [_audio(stream, index) for index, stream in enumerate(container.streams.audio)],
        "subtitles": [_subtitle(stream, index) for index, stream in enumerate(container.streams.subtitles)],
    }


def _video(container: Any, stream: Any, index: int) -> VideoReport:
    cover = bool(stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails))
    codec = stream.codec_context
    picture = None if cover else _first_picture(container, stream)
    interlaced = codec.field_order not in _PROGRESSIVE_ORDERS or (
        picture is not None and picture.interlaced_frame
    )
    return {
        "index": index,
        "codec": _codec(stream),
        "width": codec.width,
        "height": codec.height,
        "average_rate": str(stream.average_rate or ""),
        "base_rate": str(stream.base_rate or ""),
        "sar": str(stream.sample_aspect_ratio or ""),
        "interlaced": bool(interlaced),
        "pixel_format": codec.pix_fmt or "",
        "rotation": picture.rotation % 360 if picture is not None else 0,
        "cover": cover,
    }


def _first_picture(container: Any, stream: Any) -> Any:
    """Decode up to the first picture: only it says how it is turned; None when there is none near the start."""
    try:
        for packet in islice(container.demux(stream), _PACKETS_TO_A_PICTURE):
            for picture in packet.decode():
                return picture
    except av.FFmpegError:
        return None
    return None


def _audio(stream: Any, index: int) -> AudioReport:
    codec = stream.codec_context
    title = stream.metadata.get("title", "")
    if stream.disposition & Disposition.comment and "comment" not in title.casefold():
        title = f"{title} (commentary)".strip()
    return {
        "index": index,
        "codec": _codec(stream),
        "channels": codec.channels if codec else 0,
        "sample_rate": codec.sample_rate if codec else 0,
        "language": _language(stream),
        "default": bool(stream.disposition & Disposition.default),
        "title": title,
    }


def _subtitle(stream: Any, index: int) -> SubtitleReport:
    return {
        "index": index,
        "codec": _codec(stream),
        "language": _language(stream),
        "forced": bool(stream.disposition & Disposition.forced),
    }


def _codec(stream: Any) -> str:
    """Name the codec whatever decodes it; ``none`` when nothing here does."""
    codec = stream.codec_context
    return codec.codec.canonical_name if codec else "none"


def _language(stream: Any) -> str:
    language = stream.metadata.get("language", "")
    return "" if language == "und" else language
