"""Reading what ``ffmpeg -i`` prints, where PyAV is not installed. PURE.

It says too little of how pictures run: what is known from here is never sent as it is.
"""

from __future__ import annotations

import re

from exstream.ffmpeg.probe_report import (
    NO_COLOUR,
    AudioReport,
    Report,
    SubtitleReport,
    VideoReport,
    why_unreadable,
)

_INPUT = re.compile(r"^Input #0, ([^,]+)", re.MULTILINE)
_DURATION = re.compile(r"^ +Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)", re.MULTILINE)
_STREAM = re.compile(
    r"^ +Stream #0:\d+(?:\[\w+\])?(?:\((?P<language>\w+)\))?: (?P<kind>Video|Audio|Subtitle): (?P<rest>.*)$"
)
_SIZE = re.compile(r", (\d{1,5})x(\d{1,5})\b")
_SAR = re.compile(r"\bSAR (\d+:\d+)")
_RATE = re.compile(r"\b([\d.]+)(k?) fps\b")
_BASE = re.compile(r"\b([\d.]+)(k?) tbr\b")
_SAMPLE_RATE = re.compile(r"\b(\d+) Hz, ([^,]+)")
_ROTATION = re.compile(r"rotation of (-?\d+)")
_TITLE = re.compile(r"^ +title +: (.*)$")
_CHANNELS = {"mono": 1, "stereo": 2, "quad": 4}
_INTERLACED = re.compile(r"\b(?:top|bottom) (?:first|coded first|field)")


def read_report(text: str, head: bytes) -> Report:
    """Return what ffmpeg found in a file that begins with ``head``."""
    container = _INPUT.search(text)
    if container is None:
        return {"fault": why_unreadable(head, text)}
    report: Report = {
        "container": container[1],
        "duration_ms": _duration(text),
        "video": [],
        "audio": [],
        "subtitles": [],
    }
    kind = ""
    for line in text.splitlines():
        if stream := _STREAM.match(line):
            kind = stream["kind"]
            _take(report, kind, stream["language"] or "", stream["rest"])
        elif kind == "Video" and (turned := _ROTATION.search(line)):
            report["video"][-1]["rotation"] = int(turned[1]) % 360
        elif kind == "Audio" and (title := _TITLE.match(line)):
            report["audio"][-1]["title"] = title[1]
    return report


def _take(report: Report, kind: str, language: str, rest: str) -> None:
    codec = re.split(r"[ ,]", rest, maxsplit=1)[0]
    language = "" if language == "und" else language
    if kind == "Video":
        report["video"].append(_video(rest, codec, len(report["video"])))
    elif kind == "Audio":
        report["audio"].append(_audio(rest, codec, language, len(report["audio"])))
    else:
        report["subtitles"].append(_subtitle(rest, codec, language, len(report["subtitles"])))


def _video(rest: str, codec: str, index: int) -> VideoReport:
    size, sar = _SIZE.search(rest), _SAR.search(rest)
    pixel_format = re.match(r"[^,]*(?:\([^)]*\))?[^,]*, (\w+)", rest)
    return {
        "index": index,
        "codec": codec,
        "width": int(size[1]) if size else 0,
        "height": int(size[2]) if size else 0,
        "average_rate": _rate(_RATE, rest),
        "base_rate": _rate(_BASE, rest),
        "sar": sar[1] if sar else "",
        "interlaced": _INTERLACED.search(rest) is not None,
        "pixel_format": pixel_format[1] if pixel_format else "",
        "rotation": 0,
        "cover": "(attached pic)" in rest,
        "profile": "",
        "colour": NO_COLOUR,
        "cadence": None,
    }


def _audio(rest: str, codec: str, language: str, index: int) -> AudioReport:
    found = _SAMPLE_RATE.search(rest)
    return {
        "index": index,
        "codec": codec,
        "channels": _channels(found[2]) if found else 0,
        "sample_rate": int(found[1]) if found else 0,
        "language": language,
        "default": "(default)" in rest,
        "title": "commentary" if "(comment)" in rest else "",
        "profile": "",
    }


def _subtitle(rest: str, codec: str, language: str, index: int) -> SubtitleReport:
    return {"index": index, "codec": codec, "language": language, "forced": "(forced)" in rest}


def _channels(layout: str) -> int:
    if layout in _CHANNELS:
        return _CHANNELS[layout]
    digits = re.match(r"(\d+)(?:\.(\d))?", layout)
    return int(digits[1]) + int(digits[2] or 0) if digits else 0


def _rate(pattern: re.Pattern[str], rest: str) -> str:
    found = pattern.search(rest)
    return f"{found[1]}{'000' if found[2] else ''}" if found else ""


def _duration(text: str) -> int:
    found = _DURATION.search(text)
    return round((int(found[1]) * 3_600 + int(found[2]) * 60 + float(found[3])) * 1_000) if found else 0
