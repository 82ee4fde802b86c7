"""The process that looks into files, so that a file which kills or hangs its reader takes nobody with it.

Reads one JSON string (a path) a line from standard input and answers each with one JSON line, a `Report`.
"""

from __future__ import annotations

import json
import os
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import av
import av.logging
from av.stream import Disposition

from exstream.ffmpeg.allowed import input_address, input_limits
from exstream.ffmpeg.probe_packets import cadence
from exstream.ffmpeg.probe_report import (
    AudioReport,
    CadenceReport,
    ColourReport,
    Report,
    SubtitleReport,
    VideoReport,
    rate_of,
    why_unreadable,
)

_PROGRESSIVE_ORDERS = frozenset({0, 1})
_PACKETS_TO_A_PICTURE = 100
_HEAD_BYTES = 4_096
_FULL_RANGE = 2
# FFmpeg's names of the code points of ITU-T H.273, from 0 on; a dot is none of them, or says nothing.
_PRIMARIES = ". bt709 . . bt470m bt470bg smpte170m smpte240m film bt2020 smpte428 smpte431 smpte432"
_TRANSFERS = (
    ". bt709 . . bt470m bt470bg smpte170m smpte240m linear log100 log316 iec61966-2-4 bt1361e iec61966-2-1 "
    "bt2020-10 bt2020-12 smpte2084 smpte428 arib-std-b67"
)
_MATRICES = (
    "gbr bt709 . . fcc bt470bg smpte170m smpte240m ycgco bt2020nc bt2020c smpte2085 chroma-derived-nc "
    "chroma-derived-c ictcp"
)


def main() -> None:
    """Answer every path on standard input."""
    av.logging.set_level(av.logging.ERROR)
    for line in sys.stdin:
        answer = look(json.loads(line))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def look(path: str) -> Report:
    """Return what the file at ``path`` holds, or the fault that kept us from looking."""
    head, size = b"", 0
    try:
        if path.startswith("/"):
            with Path(path).open("rb") as file:
                head = file.read(_HEAD_BYTES)
                size = file.seek(0, os.SEEK_END)
    except (OSError, ValueError) as fault:
        return {"fault": getattr(fault, "strerror", None) or str(fault)}
    address, protocols = input_address(path)
    with av.logging.Capture(local=False) as log:
        try:
            with av.open(address, options=input_limits(protocols), metadata_errors="replace") as container:
                report = _report(container)
                report["size"] = size or container.size
        except (av.FFmpegError, UnicodeError) as fault:
            complaint = "; ".join([*(message.strip() for _, _, message in log), str(fault)])
            return {"fault": why_unreadable(head, complaint)}
        for track in report["video"]:
            track["cadence"] = _cadence(path, track)
        return report


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
        "profile": codec.profile or "",
        "colour": _colour(codec),
        "cadence": None,
    }


def _colour(codec: Any) -> ColourReport:
    return {
        "matrix": _named(_MATRICES, codec.colorspace),
        "primaries": _named(_PRIMARIES, codec.color_primaries),
        "transfer": _named(_TRANSFERS, codec.color_trc),
        "full_range": codec.color_range == _FULL_RANGE or (codec.pix_fmt or "").startswith("yuvj"),
    }


def _named(names: str, code: int) -> str:
    return dict(enumerate(names.split())).get(code, "").strip(".")


def _cadence(path: str, track: VideoReport) -> CadenceReport | None:
    """Look how the track runs, where that matters: nothing but H.264 is sent as it is."""
    rate = rate_of(track)
    if track["codec"] != "h264" or track["cover"] or track["interlaced"] or rate is None:
        return None
    found = cadence(path, track["index"], rate)
    if found is None:
        return None
    return {
        "starts_us": found.starts_us,
        "gop_ms": found.gop_ms,
        "reorder": found.reorder,
        "short_ms": found.short_ms,
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
        "profile": (codec.profile or "") if codec else "",
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
