"""Programme tables."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exstream.mpegts.psi import crc32, tables


@given(st.text(max_size=200), st.text(max_size=200))
def test_tables_of_any_name_are_three_packets_with_valid_checksums(name: str, provider: str) -> None:
    """However long or odd a channel's name, each table is one packet and its CRC holds."""
    rows = tables(name, provider)

    assert rows.shape == (3, 188)
    for row in rows:
        packet = row.tobytes()
        length = (packet[6] & 0x0F) << 8 | packet[7]
        assert crc32(packet[5 : 8 + length]) == 0


def test_the_checksum_is_the_standard_s() -> None:
    """The CRC agrees with the published check value of CRC-32/MPEG-2."""
    assert crc32(b"123456789") == 0x0376E6E7
