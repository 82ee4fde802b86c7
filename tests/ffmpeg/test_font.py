"""The typeface of the cards."""

import pytest
from PIL import ImageFont

from exstream.ffmpeg.font import font_file


@pytest.mark.parametrize("letter", ["Ä", "ž", "Ω", "Ж", "ß", "₂", "€", "1", "·"])
def test_the_font_draws_the_letters_of_european_titles(letter: str) -> None:
    """Every letter has a picture of its own, not the box that stands for a missing one."""
    font = ImageFont.truetype(font_file(), 32)
    missing = font.getmask("\U0010ffff")
    assert bytes(font.getmask(letter)) != bytes(missing)


def test_the_path_needs_no_escaping_in_a_filter_graph() -> None:
    """ffmpeg's filter syntax gives these characters a meaning; the font's own name has none of them."""
    assert font_file().is_absolute()
    assert not set(font_file().name) & set("[]',;:=%\\ ")
