"""One channel as segments, for as long as somebody reads its playlist: what there is, and waiting for what comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from exstream.errors import TuneFailed
from exstream.mpegts.demux import Demux, Picture
from exstream.mpegts.index import RandomAccessPoint
from exstream.mpegts.parameters import AudioParameters, VideoParameters
from exstream.mpegts.splice import Spliced
from exstream.playout import playlist
from exstream.playout.fanout import PIECE
from exstream.playout.player import Player
from exstream.playout.segments import FEWEST, LiveWindow, SegmentRule, Shift

FIRST_BYTES_SECONDS = 8.0
"""How long a cold channel may take to its first picture."""
SPARE_SECONDS = 4.0
"""How much longer than it lasts a segment may take to be there."""
LOOK_BYTES = 40 * PIECE
"""The parameters of picture and sound are looked for in so many bytes from a key frame on."""
OVERHEAD = 1.08
"""What the transport adds to pictures and sound."""

T = TypeVar("T")


class Broadcast:
    """The segments of ``player``'s channel; ``before`` is where an earlier broadcast of the channel ended."""

    def __init__(self, player: Player, before: Shift | None) -> None:
        self.player = player
        self.rule = SegmentRule.of(player.profile)
        self.viewers = 0
        self._fanout = player.fanout
        self._window = LiveWindow(self.rule, player.shift_at, before)
        self._news = asyncio.Event()
        self._closed = False
        self._fanout.retain(self.rule.kept)
        for point in self._fanout.points_from(0):
            self._window.add(point)
        self._fanout.listen(self._hear)

    @property
    def ended(self) -> bool:
        """Whether there will be no more: the channel is off air, or nobody reads."""
        return self._closed or self._fanout.closed

    def close(self) -> Shift | None:
        """Keep bytes for segments no longer; return where the window ended."""
        self._closed = True
        self._fanout.forget_listener(self._hear)
        self._fanout.retain(0)
        self._tell()
        return self._window.shift

    async def playlist(self) -> str:
        """Return the media playlist, waiting for enough entries. Raises `TuneFailed` when they do not come in time."""
        segments = await self._when(self._window.told, FEWEST * self.rule.target + SPARE_SECONDS)
        return playlist.media(segments, self.rule)

    async def master(self, media_url: str) -> str:
        """Return the master playlist, waiting for the first pictures. Raises `TuneFailed` when none come in time."""
        profile = self.player.profile
        video, audio = await self._when(self._parameters, FIRST_BYTES_SECONDS)
        peak, average = playlist.bit_rate(self._window.listed())
        nominal = round((profile.max_kbps + profile.audio_kbps) * 1_000 * OVERHEAD)
        return playlist.master(
            playlist.Rendition(
                max(peak, nominal),
                average or profile.bits_per_second,
                (video.codec, audio.codec),
                video.width,
                video.height,
                profile.rate,
            ),
            media_url,
        )

    async def segment(self, number: int) -> bytes | None:
        """Return a segment's bytes, waiting for what a playlist can have told; None for what is gone or far off."""
        following = self._window.following
        if following is not None and following <= number < following + FEWEST - 1:
            patience = (number - following + 1) * self.rule.target + SPARE_SECONDS
            try:
                await self._when(lambda: (self._window.following or 0) > number, patience)
            except TuneFailed:
                return None
        found = self._window.find(number)
        return None if found is None or found.is_gap else self._fanout.range(found.begin, found.end)

    def _parameters(self) -> tuple[VideoParameters, AudioParameters] | None:
        """Look for parameter sets from the newest key frame on that is followed by enough, or None."""
        for point in reversed(self._fanout.points_from(0)):
            demux, picture, frame = Demux(point.pts), b"", b""
            end = min(self._fanout.end, point.offset + LOOK_BYTES)
            for at in range(point.offset, end, PIECE):
                for unit in demux.feed(self._fanout.range(at, min(end, at + PIECE)) or b""):
                    if isinstance(unit, Picture):
                        picture = picture or unit.data
                    elif unit.frames:
                        frame = frame or unit.frames[0]
                if picture and frame:
                    return _read(picture, frame)
        return None

    async def _when(self, look: Callable[[], T | None], seconds: float) -> T:
        """Return what ``look`` finds as soon as it finds something."""
        try:
            async with asyncio.timeout(seconds):
                while not (found := look()):
                    if self.ended:
                        raise TuneFailed(f"{self.player.channel.name} went off air")
                    await self._news.wait()
        except TimeoutError:
            raise TuneFailed(f"{self.player.channel.name} gave no picture in {seconds:.0f} s") from None
        return found

    def _hear(self, spliced: Spliced, base: int) -> None:
        for point in spliced.points:
            self._window.add(RandomAccessPoint(base + point.offset, point.pts))
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


def _read(picture: bytes, frame: bytes) -> tuple[VideoParameters, AudioParameters]:
    try:
        video, audio = VideoParameters.of(picture), AudioParameters.of(frame)
    except ValueError as error:
        raise TuneFailed(f"the stream does not say what it is: {error}") from error
    if video is None:
        raise TuneFailed("the stream does not say what it is: a key frame without parameter sets")
    return video, audio
