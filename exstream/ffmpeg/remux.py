"""Command lines for items whose pictures are sent as they are. PURE.

The pictures keep the times of their file, moved so that the picture asked for lies at ``FEED_ORIGIN_SECONDS``; the feed
begins with the key frame before it. It does not end with the order's span: the splice cuts it.
"""

from __future__ import annotations

from dataclasses import dataclass

import ffmpeg

from exstream.ffmpeg.allowed import HTTP, input_address, input_limits
from exstream.ffmpeg.encoding import audio_options
from exstream.ffmpeg.muxing import QUIET, TRANSPORT, dated
from exstream.ffmpeg.seek import seconds
from exstream.ffmpeg.sound import SoundSpan, cut_sound, sound_of
from exstream.ffmpeg.tracks import pick_audio
from exstream.model.catalogue import Cadence
from exstream.model.grid import AUDIO_RATE, CLOCK_HZ, Span
from exstream.model.programme import Order, Way

_SEEKS_EARLY_MS = 300
"""ffmpeg seeks a little before what it is asked for, where pictures are reordered."""


def remux(order: Order) -> tuple[str, ...]:
    """Return the arguments, after the executable, that send the pictures of ``order`` as they are.

    Raises ValueError when nothing is known of the source's pictures, or its location is neither an absolute path nor
    a loopback URL.
    """
    media = order.source.media
    video = media.video if media is not None else None
    if media is None or video is None or video.cadence is None:
        raise ValueError("nothing is known of how its pictures run")
    start = _Start.of(order, video.cadence, media.container)
    source = _opened(order, start.seek, start.wanted)
    tracks = [source[f"v:{video.index}"]]
    audio = pick_audio(media.audio, order.profile.languages)
    options: dict[str, object] = {"c": "copy", **dated(order.profile), **TRANSPORT}
    if audio is not None and order.way is Way.COPY:
        tracks.append(source[f"a:{audio.index}"])
    elif audio is not None:
        run_up = start.into - start.heard
        heard = _opened(order, start.sound_from, start.sound_from)[f"a:{audio.index}"]
        span = SoundSpan.of(order.profile, Span(order.span.first - run_up, order.span.end))
        samples = round(run_up * order.profile.rate.seconds * AUDIO_RATE)
        tracks.append(cut_sound(sound_of(heard, order.profile), span, samples))
        options = {"c:v": "copy", **dated(order.profile), **audio_options(order.profile), **TRANSPORT}
    return (*QUIET, *ffmpeg.output(*tracks, "pipe:1", **options).get_args())


@dataclass(frozen=True, slots=True)
class _Start:
    """Where reading begins. Microseconds after the container's start; pictures after the item's first."""

    wanted: int
    """Where the picture asked for lies."""
    seek: int
    into: int
    """Which picture is asked for."""
    heard: int
    """Which picture sound begins with: no key frame that pictures may begin with lies before it."""
    sound_from: int

    @classmethod
    def of(cls, order: Order, cadence: Cadence, container: str) -> _Start:
        rate = order.profile.rate
        into = rate.picture_near(order.offset_ms * CLOCK_HZ // 1_000)
        heard = max(0, into - rate.picture_at(cadence.gop_ms + _SEEKS_EARLY_MS))

        def at(picture: int) -> int:
            return cadence.starts_us + int(picture * rate.seconds * 1_000_000)

        # Without an index the demuxer finds the next key frame instead of the last one.
        return cls(at(into), at(heard if container == "mpegts" else into), into, heard, at(heard))


def _opened(order: Order, seek: int, zero: int) -> ffmpeg.Stream:
    """Open the source from ``seek`` on; what lies at ``zero`` has time 0. Both in microseconds."""
    address, protocols = input_address(order.source.location)
    options: dict[str, object] = {"threads": 1, "fflags": "+discardcorrupt", **input_limits(protocols)}
    if protocols != "file":
        options |= HTTP
    if seek:
        options["ss"] = seconds(seek)
    if zero != seek:
        options["itsoffset"] = f"-{seconds(zero - seek)}"
    return ffmpeg.input(address, **options)
