"""A PID with pictures: order of decoding, the timeline, and the parameter sets."""

from __future__ import annotations

from exstream.model.grid import Rate
from exstream.mpegts.conformance.codecs import Codec
from exstream.mpegts.conformance.elementary import Stamps
from exstream.mpegts.conformance.findings import Kind, Ledger
from exstream.mpegts.conformance.parameters import ParameterSets
from exstream.mpegts.conformance.picture_timeline import PictureTimeline


class Pictures:
    """Counts and judges pictures. ``position`` is the decode time of the last one, ``first`` of the first."""

    def __init__(self, ledger: Ledger, codec: Codec, rate: Rate | None) -> None:
        self._ledger = ledger
        self._timeline = PictureTimeline(ledger, rate)
        self._dts: int | None = None
        self._damaged = False
        self.parameters = ParameterSets(ledger, codec)
        self.count = 0
        self.keys = 0
        self.first: int | None = None
        self.position: int | None = None

    @property
    def rate(self) -> float | None:
        """Pictures per second, None as long as they are not known."""
        return self._timeline.rate

    def begin(self, stamps: Stamps, packet: int, *, key: bool) -> None:
        """Take the beginning of a picture."""
        self.count += 1
        self.keys += key
        self._damaged = False
        pts, dts = stamps
        if pts is None or dts is None:
            self.position = None
            self._timeline.blind()
            return
        if dts > pts:
            self._ledger.note(
                Kind.DTS_AFTER_PTS,
                packet,
                f"a picture is decoded {(dts - pts) / 90:.1f} ms after it is shown",
            )
            dts = min(pts, self._dts) if self._dts is not None else pts
        else:
            self._judge_order(dts, packet)
            self._dts = dts
        self.position = dts
        self.first = dts if self.first is None else self.first
        self._timeline.add(pts, dts, packet, key=key)

    def _judge_order(self, dts: int, packet: int) -> None:
        if self._dts is None or dts > self._dts:
            return
        back = (self._dts - dts) / 90
        text = (
            f"the decode time goes back by {back:.1f} ms"
            if back
            else "two pictures have the same decode time"
        )
        self._ledger.note(Kind.DTS_ORDER, packet, text)

    def end(self, payload: bytes, packet: int) -> None:
        """Look at the head of a picture's bytes, where they are whole."""
        if payload and not self._damaged:
            self.parameters.take(payload, packet)

    def lose(self) -> None:
        """Packets were lost: the picture that is open is not looked into."""
        self._damaged = True

    def restart(self) -> None:
        """A new time base begins."""
        self._dts = self.first = self.position = None
        self._timeline.restart()

    def finish(self) -> None:
        """Nothing more comes."""
        self._timeline.finish()
