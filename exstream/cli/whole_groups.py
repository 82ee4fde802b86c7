"""A stream from its first key frame to its last: what a decoder can be asked about, wherever a recording is cut."""

from __future__ import annotations

import numpy as np

from exstream.mpegts.conformance.findings import Ledger
from exstream.mpegts.conformance.framing import Framing
from exstream.mpegts.packets import PACKET, PAT_PID, Headers

MOST_BYTES = 32 << 20
"""A stream that marks no key frames is passed on in pieces of this size."""


class WholeGroups:
    """Passes on whole groups of pictures; what lies before the first key frame and behind the last is left out."""

    def __init__(self) -> None:
        self._ledger = Ledger()
        self._framing = Framing(self._ledger)
        self._held = b""
        self._begun = False
        self._passed = False

    def feed(self, data: bytes, pid: int | None) -> bytes:
        """Take bytes of a stream with pictures on ``pid``, None while that is not known; return what can be decoded."""
        self._held += b"".join(run.data for run in self._framing.feed(data))
        self._ledger.fresh()  # what is wrong with it is told by the check
        if pid is None:
            return b""
        packets = np.frombuffer(self._held, np.uint8).reshape(-1, PACKET)
        headers = Headers.of(packets)
        keys = np.flatnonzero((headers.pid == pid) & headers.starts & headers.random_access)
        if not self._begun and len(keys):
            # The tables before the first key frame tell the decoder what it is.
            tables = np.flatnonzero((headers.pid[: keys[0]] == PAT_PID) & headers.starts[: keys[0]])
            if len(tables):
                self._held = self._held[int(tables[-1]) * PACKET :]
                keys -= tables[-1]
                self._begun = True
        if len(self._held) > MOST_BYTES:
            held, self._held = self._held, b""
            return held
        if not self._begun or len(keys) < 2:
            return b""
        # What is held begins with a key frame, or with the tables before it: the last one begins what is not whole yet.
        cut = int(keys[-1]) * PACKET
        ready, self._held = self._held[:cut], self._held[cut:]
        self._passed = True
        return ready

    def rest(self) -> bytes:
        """Return what is still to be decoded at the end: all of a stream with no more than one key frame."""
        return b"" if self._passed else self._held
