"""Packets and their time stamps."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from exstream.mpegts.packets import (
    PACKET,
    PCR_WRAP,
    PTS_WRAP,
    Headers,
    aligned,
    packetise,
    pcr_field,
    pcr_packet,
    pes_packet,
    read_pcr,
    read_stamp,
    stamp,
)

ticks = st.integers(0, 1 << 50)


@given(ticks, st.sampled_from([1, 2, 3]))
def test_a_time_stamp_reads_back_modulo_33_bits(value: int, prefix: int) -> None:
    """A PTS or DTS is kept modulo 2^33 with its prefix and its marker bits."""
    field = stamp(prefix, value)

    assert value % PTS_WRAP == read_stamp(field)
    assert prefix == field[0] >> 4
    assert (field[0] & 1, field[2] & 1, field[4] & 1) == (1, 1, 1)


@given(ticks)
def test_a_clock_reference_reads_back_modulo_its_wrap(value: int) -> None:
    """A PCR is kept to 27 MHz modulo 300 times 2^33."""
    assert value % PCR_WRAP == read_pcr(pcr_field(value))


@given(st.binary(min_size=1, max_size=2000), st.none() | ticks, st.booleans())
def test_a_pes_packet_comes_back_whole_from_its_transport_packets(
    payload: bytes, pcr: int | None, random_access: bool
) -> None:
    """Cutting into packets loses and adds no payload byte, whatever its length."""
    pes = pes_packet(0xC0, payload, 90_000)
    packets = packetise(0x101, pes, pcr=pcr, random_access=random_access)
    headers = Headers.of(packets)
    together = b"".join(
        row[4 + int(field) :].tobytes() for row, field in zip(packets, headers.adaptation, strict=True)
    )

    assert pes == together
    assert [True] + [False] * (len(packets) - 1) == headers.starts.tolist()
    assert {0x101} == set(headers.pid.tolist())
    assert (pcr is not None) == bool(headers.has_pcr[0])
    assert random_access == bool(headers.random_access[0])
    if pcr is not None:
        assert pcr % PCR_WRAP == read_pcr(packets[0, 6:12].tobytes())


def test_a_packet_of_nothing_but_a_clock_reference_has_no_payload() -> None:
    """A PCR-only packet carries its value and leaves the continuity counter alone."""
    packet = np.frombuffer(pcr_packet(0x100, 123_456_789, 7), np.uint8).reshape(1, PACKET)
    headers = Headers.of(packet)

    assert headers.payload.tolist() == [False]
    assert headers.pid.tolist() == [0x100]
    assert packet[0, 3] & 0x0F == 7
    assert read_pcr(packet[0, 6:12].tobytes()) == 123_456_789


@given(st.binary(max_size=1000))
def test_what_is_no_whole_packet_is_kept_for_later(data: bytes) -> None:
    """Aligning cuts at packet ends and returns the rest."""
    packets, rest = aligned(data)

    assert data == packets.tobytes() + rest
    assert len(rest) < 188
