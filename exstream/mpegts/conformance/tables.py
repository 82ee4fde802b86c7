"""PSI: sections put together and their CRC, PAT and PMT and how often they come (TR 101 290, 1.3, 1.5, 2.2)."""

from __future__ import annotations

from dataclasses import dataclass, field

from exstream.mpegts.conformance.codecs import Codec, codec_of
from exstream.mpegts.conformance.findings import Kind, Ledger, Severity
from exstream.mpegts.packets import NULL_PID, PAT_PID, SDT_PID
from exstream.mpegts.psi import crc32

LONGEST = 0.5
"""Seconds between two PATs, and between two PMTs."""
CAT_PID = 0x0001
NIT_PID = 0x0010
PAT_TABLE = 0x00
PMT_TABLE = 0x02
NOTHING = 0xFF
"""The table number that stuffing has."""
_NAMES = {Kind.PAT: "programme association table", Kind.PMT: "programme map table"}


@dataclass
class Programme:
    """What the tables say: where the PMT is, which PID has the clock, and the streams."""

    number: int
    pmt_pid: int
    pcr_pid: int = NULL_PID
    streams: dict[int, Codec] = field(default_factory=dict)


class _Table:
    """When a table was last seen, in stream time, and whether its absence has been told."""

    def __init__(self) -> None:
        self.seen = False
        self.at = 0.0
        self.told = False


class Tables:
    """Reads the tables of the first programme. ``programme`` is None before the first PAT."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._partial: dict[int, bytearray] = {}
        self._whole: dict[int, bytes] = {}
        self._spoilt = False
        self._due = {Kind.PAT: _Table(), Kind.PMT: _Table()}
        self.programme: Programme | None = None

    @property
    def pids(self) -> set[int]:
        """The PIDs to be read."""
        pmt = {self.programme.pmt_pid} if self.programme is not None else set()
        return {PAT_PID, CAT_PID, NIT_PID, SDT_PID} | pmt

    def forget(self) -> None:
        """Drop sections that packets have been lost from."""
        self._partial.clear()

    def lose(self, pid: int) -> None:
        """Drop the section that packets of ``pid`` have been lost from."""
        self._partial.pop(pid, None)

    def tick(self, packet: int) -> None:
        """Tell of tables that are overdue by now."""
        for kind, table in self._due.items():
            if self._ledger.seconds - table.at > LONGEST and not table.told:
                table.told = True
                self._ledger.note(kind, packet, f"no {_NAMES[kind]} for more than {LONGEST * 1000:.0f} ms")

    def finish(self, packet: int) -> None:
        """Tell of tables that a stream too short to miss them has not got."""
        for kind, table in self._due.items():
            if not table.seen and not table.told:
                self._ledger.note(kind, packet, f"the stream has no {_NAMES[kind]}")

    def take(self, pid: int, payload: bytes, packet: int, *, start: bool) -> bool:
        """Take the payload of one packet; return whether the programme has changed."""
        if not payload or (start and self._whole.get(pid) == payload):
            self._count(pid, payload[1] if payload else NOTHING)
            return False
        changed = False
        if start:
            pointer = payload[0]
            changed = self._continue(pid, payload[1 : 1 + pointer], packet)
            self._partial[pid] = bytearray()
            payload, whole = payload[1 + pointer :], payload
            self._spoilt = False
            changed = self._continue(pid, payload, packet) or changed
            if not (pointer or self._spoilt or pid in self._partial):
                self._whole[pid] = whole
            return changed
        return self._continue(pid, payload, packet)

    def _continue(self, pid: int, payload: bytes, packet: int) -> bool:
        """Go on with the section that has begun on ``pid``, and with those behind it."""
        waiting = self._partial.get(pid)
        if waiting is None:
            return False
        waiting += payload
        changed = False
        while waiting and waiting[0] != NOTHING:
            length = 3 + ((waiting[1] & 0x0F) << 8 | waiting[2]) if len(waiting) >= 3 else 3
            if len(waiting) < length:
                return changed
            changed = self._section(pid, bytes(waiting[:length]), packet) or changed
            del waiting[:length]
        del self._partial[pid]
        return changed

    def _count(self, pid: int, table: int) -> None:
        """Remember that a table came."""
        kind = None
        if pid == PAT_PID and table == PAT_TABLE:
            kind = Kind.PAT
        elif self.programme is not None and pid == self.programme.pmt_pid and table == PMT_TABLE:
            kind = Kind.PMT
        if kind is not None:
            due = self._due[kind]
            due.seen, due.at, due.told = True, self._ledger.seconds, False

    def _section(self, pid: int, section: bytes, packet: int) -> bool:
        self._count(pid, section[0])
        if not section[1] & 0x80:
            return False  # it has no CRC, and is none of the tables here
        if crc32(section) != 0 or len(section) < 12:
            self._spoilt = True
            self._ledger.note(Kind.CRC, packet, f"PID {pid}: the CRC of table {section[0]} is wrong")
            return False
        if not section[5] & 1:
            return False  # it is of the future
        if pid == PAT_PID and section[0] == PAT_TABLE:
            return self._associate(section)
        if section[0] == PMT_TABLE and self.programme is not None and pid == self.programme.pmt_pid:
            return self._map(self.programme, section, packet)
        return False

    def _associate(self, section: bytes) -> bool:
        """Read a PAT: the first programme is the one to be judged."""
        for at in range(8, len(section) - 7, 4):
            number = section[at] << 8 | section[at + 1]
            pid = (section[at + 2] & 0x1F) << 8 | section[at + 3]
            if number:
                if self.programme is not None and (self.programme.number, self.programme.pmt_pid) == (
                    number,
                    pid,
                ):
                    return False
                self.programme = Programme(number, pid)
                self._whole.clear()
                return True
        return False

    def _map(self, programme: Programme, section: bytes, packet: int) -> bool:
        """Read a PMT."""
        if section[3] << 8 | section[4] != programme.number:
            return False
        pcr_pid = (section[8] & 0x1F) << 8 | section[9]
        streams = _streams(section)
        if (pcr_pid, streams) == (programme.pcr_pid, programme.streams):
            return False
        for pid in programme.streams.keys() | streams.keys() if programme.streams else ():
            before, now = programme.streams.get(pid), streams.get(pid)
            if before is not now:
                other = None not in {before, now}
                self._ledger.note(
                    Kind.PARAMETERS,
                    packet,
                    f"PID {pid} was {before or 'nothing'} and is now {now or 'nothing'}",
                    severity=Severity.ERROR if other else Severity.WARNING,
                )
        programme.pcr_pid, programme.streams = pcr_pid, streams
        return True


def _streams(section: bytes) -> dict[int, Codec]:
    """Return the streams of a PMT, in its order."""
    streams: dict[int, Codec] = {}
    at = 12 + ((section[10] & 0x0F) << 8 | section[11])
    while at + 5 <= len(section) - 4:
        pid = (section[at + 1] & 0x1F) << 8 | section[at + 2]
        size = (section[at + 3] & 0x0F) << 8 | section[at + 4]
        streams[pid] = codec_of(section[at], section[at + 5 : at + 5 + size])
        at += 5 + size
    return streams
