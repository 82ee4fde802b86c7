"""The splice: many feeds, and cards where there is none, as one stream that never breaks.

The splicer's position is the next picture and the next audio frame of channel time. Feeds are joined at a key frame,
whatever lies between is covered by a card, and every audio frame that a feed does not bring is silence: the time stamps
of the result depend on nothing but the position.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from exstream.model.grid import AUDIO_FRAME_TICKS, CLOCK_HZ, Rate
from exstream.mpegts.block import Block
from exstream.mpegts.card import Card
from exstream.mpegts.index import RandomAccessPoint
from exstream.mpegts.intake import Intake, Stretch
from exstream.mpegts.outlet import Outlet
from exstream.mpegts.packets import Packets

LATEST_SOUND = CLOCK_HZ // 5
"""Sound that has not come so many ticks before its time is silence: it would come too late."""


class Spliced(NamedTuple):
    """Bytes to send, whole packets, and the random-access points in them."""

    data: bytes
    points: list[RandomAccessPoint]


class Splicer:
    """One channel's stream from picture ``start`` on; decode times run ``reorder`` pictures ahead.

    A feed that begins earlier than ``start``, because its key frames lie far apart, begins the stream earlier.
    """

    def __init__(self, rate: Rate, tables: Packets, start: int, reorder: int = 1) -> None:
        self._rate = rate
        self._reorder = reorder
        self._outlet = Outlet(rate, tables)
        self._card: Card | None = None
        self._card_since = start
        self._begun = False
        self.card_pictures = 0
        """How many pictures of cards have gone out."""
        self.picture = start
        """The next picture to put on air."""
        self.audio = rate.audio_frame_at(start)
        """The next audio frame to put on air."""

    @property
    def seconds(self) -> float:
        """The start of the next picture, in seconds since the epoch."""
        return self._rate.ticks_at(self.picture) / CLOCK_HZ

    def cover(self, card: Card, until: int) -> Spliced:
        """Put ``card`` and silence on air up to picture ``until``."""
        return self._outlet_of(self._card_blocks(card, until))

    def take(self, intake: Intake, limit: int, card: Card, *, ended: bool = False) -> Spliced | None:
        """Put on air what ``intake`` has for the pictures before ``limit``; None when it has nothing yet.

        ``card`` covers the pictures that a late feed has missed. ``ended`` says that no more bytes will come.
        """
        if intake.behind(self.picture):
            intake.leave()
        joining = not intake.joined
        key = self._entry(intake) if joining else self.picture
        if key is None or key > max(limit, self.picture):
            return None
        if joining:
            intake.join(key)
        rewound = key < self.picture
        audio = self._rate.audio_frame_at(key)
        if not rewound:
            audio = max(audio, self.audio) if joining else self.audio
        stretch = intake.take(min(limit, intake.span.end), audio, ended=ended)
        if stretch is None:
            if joining:
                intake.leave()
            return None
        if rewound:
            self.picture, self.audio = key, audio
        blocks = self._card_blocks(card, key)
        if joining:
            # What the feed before has left out is late already: it does not wait for this one's first sound.
            blocks += self._quiet(card, self._rate.audio_frame_at(key))
        self.picture = stretch.picture
        self._card = None
        return self._outlet_of(blocks + self._sounding(card, stretch))

    def _entry(self, intake: Intake) -> int | None:
        """Return the key frame with which ``intake`` can join; it begins the stream where nothing has gone out."""
        if self._begun:
            return intake.key_from(self.picture)
        first = intake.first_key
        return None if first is None else intake.key_from(min(first, self.picture))

    def _sounding(self, card: Card, stretch: Stretch) -> list[Block]:
        """Return the stretch with silence where it has no sound."""
        blocks: list[Block] = []
        done = 0

        def fill(row: int, until: int) -> None:
            nonlocal done
            if until > self.audio:
                blocks.extend([stretch.block.rows(done, row), *self._quiet(card, until)])
                done = row

        sounds = deque(stretch.sounds)
        for row, clock in [*stretch.block.clock, (len(stretch.block.packets), None)]:
            while sounds and sounds[0].row < row:
                sound = sounds.popleft()
                fill(sound.row, sound.first)
                self.audio = sound.end
            if clock is not None:
                owed = (clock // 300 + LATEST_SOUND) // AUDIO_FRAME_TICKS
                fill(row, min(owed, sounds[0].first) if sounds else owed)
        blocks.append(stretch.block.rows(done, len(stretch.block.packets)) if done else stretch.block)
        return blocks

    def _card_blocks(self, card: Card, until: int) -> list[Block]:
        if card is not self._card:
            self._card, self._card_since = card, self.picture
        blocks: list[Block] = []
        while self.picture < until:
            blocks.append(card.picture(self._rate, self.picture, self._card_since, self._reorder))
            self.picture += 1
            self.card_pictures += 1
            blocks += self._quiet(card, self._rate.audio_frame_at(self.picture))
        return blocks

    def _quiet(self, card: Card, until: int) -> list[Block]:
        blocks = [card.quiet(frame) for frame in range(self.audio, until)]
        self.audio = max(self.audio, until)
        return blocks

    def _outlet_of(self, blocks: list[Block]) -> Spliced:
        self._begun = True
        return Spliced(*self._outlet.finish(Block.join(blocks)))
