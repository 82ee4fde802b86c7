"""Segments and movies of channels that send their items as they are."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from tests import copyable, material
from tests.playout.studio import Shelf
from tests.referee import decode_faults, examine
from tests.web.on_air import MASTER, MEDIA, on_air
from tests.web.wire import ask, chunk_of, head_of, send

pytestmark = pytest.mark.anyio
PROFILE = copyable.profile()
NAMES = ("pyramid.mp4", "plain.mkv", "surround.mkv", "old.avi")
PICTURE = 90_000 * PROFILE.rate.den / PROFILE.rate.num


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """Make files of unlike parameter sets: sent as they are, in part, and encoded."""
    folder = tmp_path_factory.mktemp("copy")
    paths = [copyable.make(folder, name) for name in NAMES]
    return Shelf({str(path): copyable.known(path) for path in paths})


async def test_segments_of_copied_items_stand_alone_and_follow_on(shelf: Shelf, tmp_path: Path) -> None:
    """A cold channel has three segments at once; each decodes alone, no length rounds above the target of 24 s."""
    async with on_air(tmp_path, profile=PROFILE, shelf=shelf, length_ms=6_000) as on:
        segments = await on.segments(15)
        text = (await ask(on.port, MEDIA)).text
        assert on.station.notes.card_seconds == 0
    assert "#EXT-X-TARGETDURATION:24\n" in text
    assert "DISCONTINUITY\n" not in text
    assert "GAP" not in text
    assert all(0 < float(length) < 24.5 for length in re.findall(r"#EXTINF:([\d.]+)", text))
    assert sorted(segments) == list(range(min(segments), max(segments) + 1))
    assert len(segments) >= 3
    for number, data in segments.items():
        file = tmp_path / f"{number}.ts"
        file.write_bytes(data)
        assert examine(data, PICTURE).faults == []
        assert decode_faults(material.FFMPEG, file) == ""
    assert examine(b"".join(segments[number] for number in sorted(segments)), PICTURE).faults == []


async def test_a_movie_of_copied_items_decodes_over_changes_of_parameter_sets(
    shelf: Shelf, tmp_path: Path
) -> None:
    """Items bring parameter sets of their own; the movie goes on through all of them without a complaint."""
    async with on_air(tmp_path, profile=PROFILE, shelf=shelf, length_ms=3_000) as on:
        reader, writer = await send(on.port, "/iptv/channel/one.mp4")
        assert (await head_of(reader))[0] == 200
        data, ends = b"", on.station.clock.air() + 14
        while on.station.clock.air() < ends:
            data += await chunk_of(reader)
        writer.close()
        assert on.station.notes.card_seconds == 0
    file = tmp_path / "movie.mp4"
    file.write_bytes(data[: data.rindex(b"moof") - 4])
    assert decode_faults(material.FFMPEG, file) == ""
    assert len(set(re.findall(rb"\x00\x00\x00.\x67(.{8})", data, re.DOTALL))) > 1, "there were several"


async def test_the_master_playlist_comes_however_much_follows_a_key_frame(tmp_path: Path) -> None:
    """Long groups of pictures at a high rate: megabytes lie behind the newest key frame, and all is known of them."""
    path = tmp_path / "dense.mkv"
    material.run(
        *("-y", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=20,noise=alls=60:allf=t"),
        *("-f", "lavfi", "-i", "sine=r=48000:d=20", *copyable.H264, "-qp", "8", "-g", "125"),
        *(*copyable.AAC, str(path)),
    )
    dense = Shelf({str(path): copyable.known(path)})
    async with on_air(tmp_path, profile=PROFILE, shelf=dense, length_ms=20_000) as on:
        for _ in range(8):
            reply = await ask(on.port, MASTER)
            assert reply.status == 200, reply
            assert "RESOLUTION=320x180" in reply.text
            await asyncio.sleep(0.5)
        assert on.station.notes.card_seconds == 0
