"""What a card looks like: a dark, quiet picture with a line or two of text."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

DESIGN = 2
"""Raise this when the drawing changes: cards made before are made anew."""
_TOP = (24, 30, 44)
_BOTTOM = (9, 11, 17)
_ACCENT = (226, 164, 76)
_HEADLINE = (238, 240, 244)
_TEXT = (150, 158, 174)
_GRADIENT_STEPS = 256


class Words(NamedTuple):
    """What a card says; one without words is black."""

    headline: str
    text: str


def draw(words: Words, size: tuple[int, int], typeface: Path) -> bytes:
    """Return a PNG of ``size`` (width, height in pixels); the text is set within the title-safe area."""
    if words == Words("", ""):
        return _png(Image.new("RGB", size))
    width, height = size
    picture = _background(size)
    pen = ImageDraw.Draw(picture)
    left = round(width * 0.1)
    room = width - 2 * left
    headline = _fitting(words.headline, typeface, round(height * 0.105), room)
    text = _fitting(words.text, typeface, round(height * 0.046), room)
    baseline = round(height * 0.54)
    bar = max(2, round(height * 0.008))
    pen.rectangle(
        (
            left,
            baseline - round(height * 0.19),
            left + round(height * 0.12),
            baseline - round(height * 0.19) + bar,
        ),
        _ACCENT,
    )
    pen.text((left, baseline), words.headline, _HEADLINE, headline, anchor="ls")
    pen.text((left, baseline + round(height * 0.09)), words.text, _TEXT, text, anchor="ls")
    return _png(picture)


def _png(picture: Image.Image) -> bytes:
    png = BytesIO()
    picture.save(png, "PNG", compress_level=1)
    return png.getvalue()


def _background(size: tuple[int, int]) -> Image.Image:
    """A vertical gradient, dark enough not to disturb a dark room."""
    strip = Image.new("RGB", (1, _GRADIENT_STEPS))
    for row in range(_GRADIENT_STEPS):
        share = row / (_GRADIENT_STEPS - 1)
        strip.putpixel((0, row), _blend(share))
    return strip.resize(size, Image.Resampling.BICUBIC)


def _blend(share: float) -> tuple[int, int, int]:
    red, green, blue = (
        round(top + (bottom - top) * share) for top, bottom in zip(_TOP, _BOTTOM, strict=True)
    )
    return red, green, blue


def _fitting(text: str, typeface: Path, size: int, room: int) -> ImageFont.FreeTypeFont:
    """Return the typeface at ``size``, or smaller when ``text`` would not fit into ``room`` pixels."""
    font = ImageFont.truetype(typeface, size)
    length = font.getlength(text)
    return font if length <= room else ImageFont.truetype(typeface, max(8, int(size * room / length)))
