"""Profiles of one's own that send items as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from exstream.config import Settings
from exstream.config.profiles import merge
from exstream.ffmpeg.copying import LONGEST_GOP_MS, REORDER, cheapest
from exstream.model.grid import Rate
from exstream.model.programme import Way
from tests.ffmpeg.test_copying import MEDIA


def test_a_profile_that_copies_has_room_for_what_comes() -> None:
    """`copy: true` sends items of exactly its format as they are, however they reorder with any groups."""
    faults: list[str] = []
    mine = {
        "width": 1_280,
        "height": 720,
        "rate": 25,
        "video_kbps": 3_000,
        "languages": ["eng"],
        "copy": True,
    }
    found = merge({"mine": mine, "plain": {**mine, "copy": False}}, faults.append)
    assert faults == []
    profile = found["mine"]
    assert (profile.copy, profile.reorder, profile.gop_seconds) == (True, REORDER, LONGEST_GOP_MS // 1_000)
    assert (profile.rate, profile.languages) == (Rate(25), ("eng",))
    assert cheapest(MEDIA, profile) is Way.COPY
    assert cheapest(MEDIA, found["plain"]) is Way.TRANSCODE
    assert found["plain"].reorder == Settings(data_dir=Path("/")).profiles["720p25"].reorder


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ({"copy": {"width": 640}}, "copy: channels of this profile are sent in the format of their items"),
        ({"480p25": {"copy": "perhaps"}}, "480p25: copy "),
        ({"480p25": {"reorder": 4}}, "480p25: has no field 'reorder'"),
    ],
)
def test_what_a_profile_cannot_say_is_one_sentence(written: object, fault: str) -> None:
    """The name `copy` is taken, copying is on or off, and what follows from it is nobody's to set."""
    faults: list[str] = []
    assert merge(written, faults.append) == Settings(data_dir=Path("/")).profiles
    [found] = faults
    assert fault in found
