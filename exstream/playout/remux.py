"""A channel's stream as fragmented MP4 for one viewer: the same pictures and the same sound in other boxes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from itertools import pairwise

from exstream.errors import TuneFailed
from exstream.model.grid import AUDIO_FRAME_SAMPLES, CLOCK_HZ
from exstream.mp4.fragment import Run, Sample, fragment
from exstream.mp4.movie import AUDIO_TRACK, VIDEO_TRACK, AudioFormat, VideoFormat, opening
from exstream.mpegts.demux import Demux, Picture, Sound
from exstream.mpegts.parameters import AUD, FILLER, AudioParameters, VideoParameters, bare, nal_units
from exstream.playout.fanout import Cursor, Fanout
from exstream.playout.player import Player
from exstream.playout.tuners import Join, Session

FRAGMENT_TICKS = CLOCK_HZ // 2
"""How much goes into one fragment, once the viewer has its stock."""
BEHIND_TICKS = 2 * CLOCK_HZ
"""A stream whose newest pictures are older than this is still catching up."""
CATCH_UP_SECONDS = 4.0
"""How long it is given for that before a movie begins with old pictures."""
_UNWANTED = frozenset({AUD, FILLER})


async def movie(
    session: Session, player: Player, air_ticks: Callable[[], int]
) -> AsyncGenerator[bytes, None]:
    """Yield a channel as a movie until it goes off air or ``session`` is stopped.

    ``air_ticks`` tells air time (90 kHz). A reader that falls behind is moved on in the stream; where the movie's time
    joins the channel's is noted in ``session``. Raises `TuneFailed` for a stream that cannot be a movie.
    """
    fanout = player.fanout
    await _caught_up(fanout, air_ticks)
    cursor, remux = Cursor(), Remux(air_ticks(), player.shift_at, session.joins.append)
    while not session.stopped.is_set() and (data := await fanout.read(cursor)):
        part = b""
        if cursor.skips > session.skips:
            session.skips = cursor.skips
            part = remux.skip()
        part += remux.feed(data)
        if part:
            yield part


async def _caught_up(fanout: Fanout, air_ticks: Callable[[], int]) -> None:
    """Wait, not for ever, while a stream that was begun in the past comes near to the present."""
    cursor, demux = Cursor(), Demux(air_ticks())
    try:
        async with asyncio.timeout(CATCH_UP_SECONDS):
            while data := await fanout.read(cursor):
                demux.feed(data)
                if demux.next_dts is not None and demux.next_dts >= air_ticks() - BEHIND_TICKS:
                    break
    except TimeoutError:
        return


class Remux:
    """Takes a channel's packets from a random-access point on, near ``near`` (90 kHz), and gives a movie.

    The movie begins with the first key frame. Its time has no holes: where the viewer was moved on in the stream, the
    pictures follow on in the movie, and the sound with them. ``joined`` is told where its time joins the wall's.
    """

    def __init__(
        self,
        near: int,
        shift_at: Callable[[int], int] | None = None,
        joined: Callable[[Join], None] | None = None,
    ) -> None:
        self._demux = Demux(near)
        self._shift_at = shift_at or (lambda _pts: 0)
        self._joined = joined or (lambda _join: None)
        self._shift: int | None = None
        self._opened = False
        self._number = 0
        self._pictures: list[Picture] = []
        self._sounds: list[Sound] = []
        self._audio: AudioParameters | None = None
        self._origin = 0
        """The channel time of the movie's beginning."""
        self._joining = True
        self._starts = 0
        """Sound before this channel time is left out: there is no picture with it."""
        self._reorder = 0
        """How far a key frame is shown behind its decode time."""
        self._step = 0
        """How long a picture is shown."""
        self._last = 0
        """The channel time of the last picture in the order in which they are shown."""
        self._decoded = 0
        """Where the pictures of the movie end, in ticks since its beginning."""
        self._heard = 0
        """Where its sound ends, in samples."""

    def feed(self, data: bytes) -> bytes:
        """Take whole packets; return the part of the movie that they complete, which may be nothing yet."""
        for unit in self._demux.feed(data):
            if isinstance(unit, Picture):
                self._take_picture(unit)
            elif unit.frames:
                self._sounds.append(unit)
        if not self._pictures or not (self._opened or self._sounds):
            return b""
        following = self._demux.next_dts or 0
        if self._opened and following - self._pictures[0].dts < FRAGMENT_TICKS:
            return b""
        return self._open() + self._fragment(following)

    def skip(self) -> bytes:
        """The next packets do not follow on the last ones: return what is left of those, and join anew."""
        rest = b""
        if self._opened and self._pictures:
            rest = self._fragment(
                max(self._pictures[-1].dts + self._step, self._last + self._step - self._reorder)
            )
        self._pictures, self._sounds = [], []
        self._demux.restart()
        self._joining = True
        return rest

    def _take_picture(self, picture: Picture) -> None:
        if self._joining:
            if not picture.key:
                return
            self._joining = False
            self._reorder = picture.pts - picture.dts
            shown = self._last + self._step - self._origin if self._opened else 0
            self._origin = picture.dts - max(self._decoded, shown - self._reorder)
            self._starts = self._last = picture.pts
            self._shift = None
        elif self._pictures:
            self._step = picture.dts - self._pictures[-1].dts
        self._tell_time(picture)
        self._last = max(self._last, picture.pts)
        self._pictures.append(picture)

    def _tell_time(self, picture: Picture) -> None:
        """Tell the instant of ``picture`` where it does not follow from the picture before."""
        shift = self._shift_at(picture.pts)
        if shift != self._shift:
            self._shift = shift
            instant = round(picture.pts * 1_000 / CLOCK_HZ) + shift
            self._joined(Join((picture.pts - self._origin) / CLOCK_HZ, instant))

    def _open(self) -> bytes:
        """Return the movie's opening, once."""
        if self._opened:
            return b""
        try:
            video = VideoParameters.of(self._pictures[0].data)
            audio = self._audio = AudioParameters.of(self._sounds[0].frames[0])
        except ValueError as error:
            raise TuneFailed(f"the stream does not say what it is: {error}") from error
        if video is None:
            raise TuneFailed("the stream does not say what it is: a key frame without parameter sets")
        self._opened = True
        return opening(
            VideoFormat(video.sequence, video.picture, video.width, video.height, CLOCK_HZ),
            AudioFormat(audio.specific, audio.rate, audio.channels),
        )

    def _fragment(self, following: int) -> bytes:
        """Return everything that waits as a fragment; the picture after it is decoded at ``following``."""
        runs = [self._shown(following)]
        if (heard := self._sounded()) is not None:
            runs.append(heard)
        self._number += 1
        return fragment(self._number, runs)

    def _shown(self, following: int) -> Run:
        times = [picture.dts for picture in self._pictures] + [following]
        samples = [
            Sample(_length_prefixed(picture.data), later - earlier, picture.pts - picture.dts, picture.key)
            for picture, (earlier, later) in zip(self._pictures, pairwise(times), strict=True)
        ]
        run = Run(VIDEO_TRACK, self._pictures[0].dts - self._origin, samples)
        self._decoded = following - self._origin
        self._pictures = []
        return run

    def _sounded(self) -> Run | None:
        rate = self._audio.rate if self._audio is not None else CLOCK_HZ
        begin, samples = self._heard, list[Sample]()
        for sound in self._sounds:
            for place, frame in enumerate(sound.frames):
                due = sound.pts + place * AUDIO_FRAME_SAMPLES * CLOCK_HZ // rate
                at = round((due - self._origin) * rate / CLOCK_HZ)
                if due < self._starts or at < self._heard - 1:
                    continue
                if not samples:
                    begin = max(at, self._heard)
                samples.append(Sample(bare(frame), AUDIO_FRAME_SAMPLES))
        self._sounds = []
        self._heard = begin + len(samples) * AUDIO_FRAME_SAMPLES
        return Run(AUDIO_TRACK, begin, samples) if samples else None


def _length_prefixed(unit: bytes) -> bytes:
    """Return an access unit with lengths in place of start codes."""
    pieces: list[bytes] = []
    for nal in nal_units(unit):
        if nal and nal[0] & 0x1F not in _UNWANTED:
            pieces += (len(nal).to_bytes(4, "big"), nal)
    return b"".join(pieces)
