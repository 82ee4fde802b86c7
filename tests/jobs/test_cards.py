"""Cards: drawn and encoded once, kept, and made so that a decoder notices no join."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from exstream.errors import ConfigurationError
from exstream.ffmpeg.command import CARD_GOP, CARD_PICTURES, programme
from exstream.ffmpeg.font import font_file
from exstream.ffmpeg.process import Processes
from exstream.jobs.cards import BLACK, OFF_AIR, STARTING, TROUBLE, WORDS, CardMaker
from exstream.jobs.slate import Words, draw
from exstream.model.catalogue import Media, Source
from exstream.model.channel import Profile
from exstream.model.grid import Rate, Span
from exstream.model.profiles import SHIPPED
from exstream.model.programme import Order
from tests.ffmpeg.transport import adts_frames, nal_units, parameter_sets, record

pytestmark = pytest.mark.anyio

SMALL = Profile("small", 320, 180, Rate(25), video_kbps=300, max_kbps=400, audio_kbps=96)
IDR, SLICE, DELIMITER = 5, 1, 9


@pytest.fixture
async def processes(ffmpeg: str) -> AsyncIterator[Processes]:
    """Yield the owner of this test's encoders."""
    async with Processes(ffmpeg) as owner:
        yield owner


def kinds(annexb: bytes) -> list[int]:
    """Return the types of the NAL units that make up the pictures, delimiters included."""
    return [kind for unit in nal_units(annexb) if (kind := unit[0] & 0x1F) in {IDR, SLICE, DELIMITER}]


def slice_type(unit: bytes) -> int:
    """Return the slice type (0 P, 1 B, 2 I) from a slice's header."""
    bits = "".join(f"{byte:08b}" for byte in unit[1:8])

    def golomb(at: int) -> tuple[int, int]:
        zeros = len(bits[at:]) - len(bits[at:].lstrip("0"))
        return int(bits[at + zeros : at + 2 * zeros + 1], 2) - 1, at + 2 * zeros + 1

    _, at = golomb(0)
    return golomb(at)[0] % 5


@pytest.mark.parametrize("preset", ["ultrafast", "superfast", "medium", "slower"])
async def test_cards_carry_the_programmes_own_headers(
    processes: Processes, tmp_path: Path, preset: str
) -> None:
    """Parameter sets equal a programme's bit for bit, key frames come every 8 pictures, and no picture is reordered."""
    profile = replace(SMALL, preset=preset)
    cards = await CardMaker(processes, tmp_path, "9.0").cards(profile)
    order = Order(Source("/none", Media(0)), Span(0, 50), 0, profile)
    feed = await processes.run(programme(order), 30, name="programme")
    (programmes,) = parameter_sets(record(feed.stdout).pictures)
    assert set(cards.pictures) == {STARTING, OFF_AIR, TROUBLE, BLACK}
    for annexb in cards.pictures.values():
        units = nal_units(annexb)
        assert {unit for unit in units if unit[0] & 0x1F in {7, 8}} == set(programmes)
        assert kinds(annexb) == ([DELIMITER, IDR] + [DELIMITER, SLICE] * (CARD_GOP - 1)) * (
            CARD_PICTURES // CARD_GOP
        )
        assert {slice_type(unit) for unit in units if unit[0] & 0x1F in {IDR, SLICE}} == {0, 2}


async def test_a_card_shows_its_words(processes: Processes, tmp_path: Path) -> None:
    """What a decoder shows is what was drawn, in the profile's size."""
    cards = await CardMaker(processes, tmp_path, "9.0").cards(SMALL)
    drawn = Image.open(io.BytesIO(draw(WORDS[TROUBLE], (320, 180), font_file()))).convert("L")
    with av.open(io.BytesIO(cards.pictures[TROUBLE]), "r", format="h264") as container:
        shown = [
            Image.fromarray(frame.to_ndarray(format="rgb24")).convert("L")
            for frame in container.decode(video=0)
        ]
    assert len(shown) == CARD_PICTURES
    assert shown[0].size == (320, 180)
    difference = [abs(a - b) for a, b in zip(shown[-1].tobytes(), drawn.tobytes(), strict=True)]
    assert sum(difference) / len(difference) < 4


async def test_silence_is_one_frame_of_the_programmes_kind(processes: Processes, tmp_path: Path) -> None:
    """One ADTS frame, stereo at 48 kHz, that decodes to nothing at all however often it is repeated."""
    cards = await CardMaker(processes, tmp_path, "9.0").cards(SMALL)
    assert adts_frames(cards.silence) == [cards.silence]
    with av.open(io.BytesIO(cards.silence * 20), "r", format="aac") as container:
        frames = list(container.decode(audio=0))
    assert {(frame.sample_rate, frame.layout.nb_channels) for frame in frames} == {(48_000, 2)}
    assert all(np.abs(frame.to_ndarray()).max() < 1e-4 for frame in frames)


async def test_cards_are_made_once(processes: Processes, tmp_path: Path) -> None:
    """The second time they are read, in another run as well; nothing half-made is ever seen."""
    maker = CardMaker(processes, tmp_path, "9.0")
    made = await maker.cards(SMALL)
    started: list[int] = []
    processes._count = started.append
    assert await CardMaker(processes, tmp_path, "9.0").cards(SMALL) == made
    assert started == []
    assert [folder.name for folder in tmp_path.iterdir()] == [maker.folder(SMALL).name]


async def test_damaged_cards_are_made_again(processes: Processes, tmp_path: Path) -> None:
    """A file that was lost or emptied is replaced."""
    maker = CardMaker(processes, tmp_path, "9.0")
    made = await maker.cards(SMALL)
    (maker.folder(SMALL) / "trouble.h264").write_bytes(b"")
    assert await maker.cards(SMALL) == made
    (maker.folder(SMALL) / "silence.aac").unlink()
    assert await maker.cards(SMALL) == made


async def test_what_shapes_a_card_names_its_folder(processes: Processes, tmp_path: Path) -> None:
    """Another bit rate, text or ffmpeg makes other cards; the ones before are dropped, other profiles' are not."""
    maker = CardMaker(processes, tmp_path, "9.0")
    other = replace(SMALL, name="small-too")
    await maker.cards(SMALL)
    await maker.cards(other)
    folders = {
        maker.folder(SMALL),
        maker.folder(replace(SMALL, max_kbps=500)),
        CardMaker(processes, tmp_path, "9.1").folder(SMALL),
        CardMaker(processes, tmp_path, "9.0", {**WORDS, OFF_AIR: Words("Zu", "")}).folder(SMALL),
    }
    assert len(folders) == 4
    await maker.cards(replace(SMALL, max_kbps=500))
    assert set(tmp_path.iterdir()) == {maker.folder(replace(SMALL, max_kbps=500)), maker.folder(other)}


async def test_a_broken_encoder_is_a_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    """The user learns which profile's cards failed and which setting to change."""
    async with Processes("/bin/false") as processes:
        with pytest.raises(ConfigurationError, match="the cards of profile 'small' cannot be encoded"):
            await CardMaker(processes, tmp_path, "9.0").cards(SMALL)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [(854, 480), (768, 576), (320, 240), (1_920, 1_080)])
def test_words_fit_whatever_the_shape(size: tuple[int, int]) -> None:
    """Long words shrink: nothing is lettered outside the safe area, on 16:9 and on 4:3."""
    words = Words(
        "An unusually long headline that would not fit",
        "And a text beneath it that is longer still, by far, than any",
    )
    picture = Image.open(io.BytesIO(draw(words, size, font_file()))).convert("L")
    assert picture.size == size
    lit = picture.point(lambda value: 255 if value > 80 else 0).getbbox()
    assert lit is not None
    left, top, right, bottom = lit
    assert left >= size[0] * 0.09
    assert right <= size[0] * 0.91
    assert top > size[1] * 0.1
    assert bottom < size[1] * 0.9


def test_the_shipped_profiles_are_distinct() -> None:
    """Each is known by its own name."""
    assert len({profile.name for profile in SHIPPED}) == len(SHIPPED) == 4
