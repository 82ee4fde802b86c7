"""Which items may be sent as they are: copy classes, found from what is known of the files. PURE.

A stream that is sent as it is cannot be mended on the way. So an item is copied only into a channel of its own copy
class, and only if its pictures run without a hole; whatever differs is encoded into the class's format.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from math import ceil

from exstream.ffmpeg.tracks import pick_audio
from exstream.model.catalogue import AudioStream, Cadence, Media
from exstream.model.channel import Profile
from exstream.model.grid import AUDIO_RATE, KEY_FRAME_SECONDS, Rate
from exstream.model.programme import Way

REORDER = 4
"""By how many pictures the decode time runs ahead on channels that copy: deeper pyramids are encoded."""
LONGEST_GOP_MS = 12_000
"""Beyond this distance of key frames an item is encoded: nobody could tune in."""
LATEST_START_US = 200_000
MOST_SHORT_MS = 400
"""So long black may stand behind the last picture: the sound of a copied item does not go on for longer than that."""
_CONTAINERS = frozenset({"mov", "mp4", "m4a", "matroska", "webm", "mpegts"})
_PROFILES = frozenset({"Constrained Baseline", "Main", "High"})
_MATRICES = frozenset({"", "unspecified", "bt709"})
_BITS_PER_PIXEL = 0.13


@dataclass(frozen=True, slots=True, order=True)
class CopyClass:
    """What the pictures of items have in common that can follow one another on one PID as they are."""

    width: int
    height: int
    rate_num: int
    rate_den: int

    @classmethod
    def of(cls, media: Media | None) -> CopyClass | None:
        """Return the class of a file, or None where it cannot be sent as it is."""
        video = media.video if media is not None else None
        if media is None or video is None or video.rate is None or any(_hindrances(media)):
            return None
        return cls(video.width, video.height, video.rate.num, video.rate.den)

    @property
    def profile(self) -> Profile:
        """The format that channels of this class are sent in."""
        rate = Rate(self.rate_num, self.rate_den)
        kbps = ceil(self.width * self.height * _BITS_PER_PIXEL / rate.seconds / 100_000) * 100
        name = f"copy-{self.width}x{self.height}-{round(1_000 / rate.seconds)}"
        return copying(Profile(name, self.width, self.height, rate, kbps, kbps * 7 // 6))


def copying(profile: Profile) -> Profile:
    """Return ``profile`` with room for items that come as they are: any reordering, any distance of key frames."""
    return replace(profile, copy=True, reorder=REORDER, gop_seconds=LONGEST_GOP_MS // 1_000)


def fitted(profile: Profile, media: Iterable[Media | None]) -> Profile:
    """Return a ``profile`` that copies with no more room between key frames than ``media`` need."""
    widest = max(
        (
            each.video.cadence.gop_ms
            for each in media
            if each is not None
            and each.video is not None
            and each.video.cadence is not None
            and not hindrance(each, profile)
        ),
        default=0,
    )
    return replace(profile, gop_seconds=max(KEY_FRAME_SECONDS, ceil(widest / 1_000)))


def _hindrances(media: Media) -> Iterator[str]:
    """Yield why the pictures of a file cannot be sent as they are, whatever the channel."""
    video = media.video
    if media.container not in _CONTAINERS:
        yield "it is not in MP4, Matroska or MPEG-TS"
    if video is None:
        yield "it has no pictures"
        return
    if video.codec != "h264":
        yield f"its pictures are {video.codec}, not H.264"
    elif video.profile not in _PROFILES or video.pixel_format != "yuv420p":
        yield "its kind of H.264 is known to few players"
    if video.interlaced:
        yield "its pictures are interlaced"
    if video.sar != (1, 1) or video.rotation or video.width % 2 or video.height % 2:
        yield "its pictures are stretched, turned or of an odd size"
    if video.colour.matrix not in _MATRICES or video.colour.full_range:
        yield "its colours are not those of television in HD"
    if video.codec == "h264":
        yield from _unevenness(video.cadence)


def _unevenness(cadence: Cadence | None) -> Iterator[str]:
    if cadence is None:
        yield "its pictures do not run evenly, or it is not known whether they do"
    elif not 0 < cadence.gop_ms <= LONGEST_GOP_MS:
        yield f"its key frames lie up to {cadence.gop_ms / 1_000:.0f} s apart, over {LONGEST_GOP_MS // 1_000}"
    elif not 0 <= cadence.starts_us <= LATEST_START_US or cadence.reorder > REORDER:
        yield "its pictures begin late, or are reordered too deeply"
    elif cadence.short_ms > MOST_SHORT_MS:
        yield f"its pictures end {cadence.short_ms / 1_000:.1f} s before the file does"


def hindrance(media: Media | None, profile: Profile) -> str:
    """Return why the pictures of a file cannot be sent as they are in ``profile``; empty where they can."""
    if not profile.copy:
        return "the channel encodes everything"
    if media is None:
        return "nothing is known of it yet"
    return next(chain(_hindrances(media), _differences(media, profile)), "")


def _differences(media: Media, profile: Profile) -> Iterator[str]:
    """Yield in what the pictures of a file, which could be sent as they are, differ from ``profile``."""
    video = media.video
    if video is None or video.cadence is None:
        return
    if (video.width, video.height) != (profile.width, profile.height):
        yield f"its pictures are {video.width}x{video.height}"
    if video.rate != profile.rate:
        yield f"it has {video.rate} pictures a second"
    if video.cadence.gop_ms > profile.gop_seconds * 1_000:
        yield "its key frames lie further apart than those of the others, until the channel is started anew"


def commonest(media: Iterable[Media | None]) -> CopyClass | None:
    """Return the copy class with the most hours among ``media``, or None where there is none."""
    hours: Counter[CopyClass] = Counter()
    for each in media:
        found = CopyClass.of(each)
        if found is not None and each is not None:
            hours[found] += max(1, each.duration_ms)
    return max(hours, key=lambda found: (hours[found], found), default=None)


def cheapest(media: Media | None, profile: Profile) -> Way:
    """Return the cheapest clean way to bring a file into ``profile``."""
    if media is None or hindrance(media, profile):
        return Way.TRANSCODE
    audio = pick_audio(media.audio, profile.languages)
    return Way.COPY if audio is None or (_same(audio) and profile.loudness is None) else Way.AUDIO


def planned(media: Media | None, profile: Profile, offset_ms: int) -> Way:
    """Return the way of a segment that begins ``offset_ms`` into its item: inside there is seldom a key frame."""
    return Way.TRANSCODE if offset_ms else cheapest(media, profile)


def _same(audio: AudioStream) -> bool:
    return (audio.codec, audio.profile, audio.sample_rate, audio.channels) == ("aac", "LC", AUDIO_RATE, 2)
