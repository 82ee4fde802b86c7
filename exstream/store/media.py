"""What probing found in a file, as JSON and back. Fields that hold their default are left out."""

from __future__ import annotations

from typing import Any

from exstream.model.catalogue import AudioStream, Cadence, Colour, Media, SubtitleStream, VideoStream
from exstream.model.grid import Rate

Json = dict[str, Any]


def written(media: Media | None) -> Json | None:
    """Return all of ``media`` but its duration, which has a column of its own: the rest is often the same."""
    if media is None:
        return None
    found: Json = {}
    if media.container:
        found["container"] = media.container
    if media.video is not None:
        found["video"] = _video(media.video)
    if media.audio:
        found["audio"] = [_audio(stream) for stream in media.audio]
    if media.subtitles:
        found["subtitles"] = [_subtitle(stream) for stream in media.subtitles]
    if media.probed:
        found["probed"] = media.probed
    return found


def read(duration_ms: int, found: Json) -> Media:
    """Return what `written` wrote; fields that a newer version added are passed over."""
    video = found.get("video")
    return Media(
        duration_ms,
        found.get("container", ""),
        _video_from(video) if video else None,
        tuple(_audio_from(stream) for stream in found.get("audio", ())),
        tuple(_subtitle_from(stream) for stream in found.get("subtitles", ())),
        found.get("probed", 0),
    )


def _video(video: VideoStream) -> Json:
    found: Json = {"index": video.index, "codec": video.codec, "width": video.width, "height": video.height}
    if video.rate is not None:
        found["rate"] = [video.rate.num, video.rate.den]
    if video.sar != (1, 1):
        found["sar"] = list(video.sar)
    if video.interlaced:
        found["interlaced"] = True
    if video.pixel_format:
        found["pixel_format"] = video.pixel_format
    if video.rotation:
        found["rotation"] = video.rotation
    if video.profile:
        found["profile"] = video.profile
    if video.colour != Colour():
        found["colour"] = _colour(video.colour)
    if video.cadence is not None:
        cadence = video.cadence
        found["cadence"] = [cadence.starts_us, cadence.gop_ms, cadence.reorder, cadence.short_ms]
    return found


def _colour(colour: Colour) -> Json:
    found: Json = {
        name: said
        for name, said in (
            ("matrix", colour.matrix),
            ("primaries", colour.primaries),
            ("transfer", colour.transfer),
        )
        if said
    }
    if colour.full_range:
        found["full_range"] = True
    return found


def _video_from(found: Json) -> VideoStream:
    rate, sar = found.get("rate"), found.get("sar", (1, 1))
    colour, cadence = found.get("colour", {}), found.get("cadence")
    return VideoStream(
        found["index"],
        found["codec"],
        found["width"],
        found["height"],
        Rate(rate[0], rate[1]) if rate else None,
        (sar[0], sar[1]),
        found.get("interlaced", False),
        found.get("pixel_format", ""),
        found.get("rotation", 0),
        found.get("profile", ""),
        Colour(
            colour.get("matrix", ""),
            colour.get("primaries", ""),
            colour.get("transfer", ""),
            colour.get("full_range", False),
        ),
        Cadence(*cadence[:4]) if cadence else None,
    )


def _audio(audio: AudioStream) -> Json:
    found: Json = {
        "index": audio.index,
        "codec": audio.codec,
        "channels": audio.channels,
        "sample_rate": audio.sample_rate,
    }
    if audio.language:
        found["language"] = audio.language
    if audio.default:
        found["default"] = True
    if audio.title:
        found["title"] = audio.title
    if audio.profile:
        found["profile"] = audio.profile
    return found


def _audio_from(found: Json) -> AudioStream:
    return AudioStream(
        found["index"],
        found["codec"],
        found["channels"],
        found["sample_rate"],
        found.get("language", ""),
        found.get("default", False),
        found.get("title", ""),
        found.get("profile", ""),
    )


def _subtitle(subtitle: SubtitleStream) -> Json:
    found: Json = {"codec": subtitle.codec, "index": subtitle.index}
    if subtitle.language:
        found["language"] = subtitle.language
    if subtitle.forced:
        found["forced"] = True
    if subtitle.path:
        found["path"] = subtitle.path
    return found


def _subtitle_from(found: Json) -> SubtitleStream:
    return SubtitleStream(
        found["codec"],
        found["index"],
        found.get("language", ""),
        found.get("forced", False),
        found.get("path", ""),
    )
