"""The sound of an order as a filter graph: whole audio frames of the channel's grid, counted. PURE."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import ffmpeg

from exstream.model.channel import Profile
from exstream.model.grid import AUDIO_FRAME_SAMPLES, AUDIO_RATE, Span

_FADE_SAMPLES = AUDIO_RATE // 200


@dataclass(frozen=True, slots=True)
class SoundSpan:
    """Samples ``start`` (included) to ``end`` (excluded), counted from the start of an order's first picture."""

    start: int
    end: int

    @classmethod
    def of(cls, profile: Profile, span: Span) -> SoundSpan:
        """Return the whole audio frames that ``span`` owns; the grids of picture and sound rarely meet."""
        rate = profile.rate
        first, end = rate.audio_frame_at(span.first), rate.audio_frame_at(span.end)
        start = round(first * AUDIO_FRAME_SAMPLES - Fraction(span.first * rate.den * AUDIO_RATE, rate.num))
        return cls(start, start + (end - first) * AUDIO_FRAME_SAMPLES)


def sound_of(stream: ffmpeg.Stream, profile: Profile) -> ffmpeg.Stream:
    """Bring the source's sound to stereo at the right instants; holes become silence."""
    stream = stream.filter("aresample", AUDIO_RATE, **{"async": 1, "first_pts": 0})
    stream = _stereo(stream)
    if profile.loudness is not None:
        loud = stream.filter("loudnorm", I=profile.loudness, TP=-1.5, LRA=11)
        # loudnorm works at 192 kHz; old versions need the layout said again before resampling
        stream = loud.filter("aformat", channel_layouts="stereo").filter("aresample", AUDIO_RATE)
        stream = _stereo(stream)
    return stream


def _stereo(stream: ffmpeg.Stream) -> ffmpeg.Stream:
    return stream.filter("aformat", sample_fmts="fltp", channel_layouts="stereo")


def silent() -> ffmpeg.Stream:
    """Return endless silence."""
    return _stereo(ffmpeg.input(f"anullsrc=r={AUDIO_RATE}:cl=stereo", f="lavfi"))


def cut_sound(stream: ffmpeg.Stream, samples: SoundSpan, run_up: int = 0) -> ffmpeg.Stream:
    """Go on in silence when the source ends, keep exactly ``samples``, and count the clock from them.

    The short fades hide the step where the encoder's overlap is cut at a join. ``run_up`` samples lie before the zero
    of the clock: what begins there is in the middle of its sound and is not faded in.
    """
    start, end = samples.start - run_up, samples.end - run_up
    counted = (
        stream.filter("apad")
        .filter("atrim", start_sample=samples.start, end_sample=samples.end)
        .filter("asetpts", f"N{start:+}")
        .filter("asetnsamples", AUDIO_FRAME_SAMPLES, p=0)
    )
    if start >= 0:
        counted = counted.filter("afade", t="in", ss=start, ns=_FADE_SAMPLES)
    return counted.filter("afade", t="out", ss=max(start, end - _FADE_SAMPLES, 0), ns=_FADE_SAMPLES)
