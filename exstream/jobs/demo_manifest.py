"""The demo library, item by item: what each clip is called, how long it is and in which format it is made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from exstream.model.catalogue import ItemKind
from exstream.model.grid import Rate

PAL = Rate(25)
NTSC = Rate(30_000, 1_001)
CINEMA = Rate(24_000, 1_001)
SPORT = Rate(50)

_X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "27", "-g", "100")
_X264_B = ("-c:v", "libx264", "-preset", "superfast", "-bf", "3", "-crf", "27", "-g", "96")
_X265 = ("-c:v", "libx265", "-preset", "ultrafast", "-crf", "30", "-x265-params", "log-level=error")
_MPEG2 = ("-c:v", "mpeg2video", "-q:v", "7", "-bf", "2", "-g", "12")
_AAC = ("-c:a", "aac", "-b:a", "96k")
_AC3 = ("-c:a", "ac3", "-b:a", "256k")
_MP2 = ("-c:a", "mp2", "-b:a", "128k")


@dataclass(frozen=True, slots=True)
class Format:
    """How a clip is encoded: ``video`` and ``audio`` are encoder arguments of ffmpeg; no ``audio``: no sound at all."""

    label: str
    """What the picture says about itself."""
    suffix: str
    rate: Rate = PAL
    width: int = 640
    height: int = 360
    sar: tuple[int, int] = (1, 1)
    video: tuple[str, ...] = _X264
    pixel_format: str = "yuv420p"
    interlaced: bool = False
    variable: bool = False
    """Pictures come at uneven distances: two of seven are left out."""
    audio: tuple[str, ...] = _AAC
    layout: str = "stereo"
    languages: tuple[str, ...] = ("eng",)
    """One audio track for each language, each with a tone of its own."""


# ffmpeg writes an mp4's index (moov) at the end unless it is told otherwise: a reader has to seek for it.
MP4 = Format("H.264 · AAC · MP4", "mp4")
MP4_NTSC = Format("H.264 · AAC · 29.97 fps", "mp4", rate=NTSC)
MP4_VFR = Format("H.264 · variable frame rate", "mp4", rate=NTSC, variable=True)
MP4_MONO = Format("H.264 4:3 · mono", "mp4", rate=NTSC, width=480, layout="mono")
MKV_CINEMA = Format(
    "H.264 with B-frames · AC-3 5.1 · 23.976 fps", "mkv", rate=CINEMA, video=_X264_B, audio=_AC3, layout="5.1"
)
MKV_SCOPE = replace(MKV_CINEMA, label="H.264 2.35:1 · AC-3 5.1 · 23.976 fps", height=272)
MKV_SURROUND = Format("H.264 · AC-3 5.1", "mkv", audio=_AC3, layout="5.1")
MKV_TWO = Format("H.264 · AAC · English and German", "mkv", languages=("eng", "deu"))
MKV_SILENT = Format("H.264 with B-frames · no sound track", "mkv", video=_X264_B, audio=(), languages=())
MKV_720 = Format("H.264 720p · AAC", "mkv", rate=CINEMA, width=1280, height=720)
HEVC10 = Format("HEVC 10 bit · AAC", "mkv", video=_X265, pixel_format="yuv420p10le")
TS_720P50 = Format("H.264 720p · 50 fps · MPEG-TS", "ts", rate=SPORT, width=1280, height=720, audio=_MP2)
TS_OLD = Format(
    "MPEG-2 4:3 interlaced",
    "ts",
    width=720,
    height=576,
    sar=(16, 15),
    video=_MPEG2,
    interlaced=True,
    audio=_MP2,
)
TS_WIDE = replace(TS_OLD, label="MPEG-2 16:9 anamorphic, interlaced", sar=(64, 45))
TS_OLD_MONO = replace(TS_OLD, label="MPEG-2 4:3 interlaced · mono", layout="mono")


@dataclass(frozen=True, slots=True)
class Clip:
    """One item of the demo library."""

    code: int
    """0 to 31; what its picture tells a machine."""
    title: str
    format: Format
    pictures: int
    """Its exact length at the format's rate, before any are left out."""
    show: str = ""
    episode: int = 0
    kind: ItemKind = ItemKind.EPISODE
    year: int = 2021
    genres: tuple[str, ...] = ()
    summary: str = ""

    @property
    def seconds(self) -> Fraction:
        """The exact duration."""
        return self.pictures * self.format.rate.seconds

    @property
    def duration_ms(self) -> int:
        """The duration as the catalogue has it."""
        return round(self.seconds * 1000)

    @property
    def tones(self) -> tuple[int, ...]:
        """Hz of each audio track: a semitone from clip to clip, a second track's an octave above and between them."""
        return tuple(
            round(220 * 2 ** ((self.code + 12.5 * track) / 12)) for track in range(len(self.format.languages))
        )

    @property
    def slug(self) -> str:
        """The clip's name for ever, of lower-case letters, digits and hyphens."""
        name = f"{self.show} s01e{self.episode:02}" if self.episode else self.title
        return name.lower().replace(" ", "-")

    @property
    def path(self) -> str:
        """The file's path below the library's folder."""
        match self.kind:
            case ItemKind.EPISODE:
                return f"{self.show}/Season 01/{self.show} - S01E{self.episode:02} - {self.title}.{self.format.suffix}"
            case ItemKind.FILM:
                return f"{self.title} ({self.year})/{self.title} ({self.year}).{self.format.suffix}"
            case _:
                return f"filler/{self.title}.{self.format.suffix}"


def _show(
    first: int, show: str, year: int, genres: tuple[str, ...], episodes: tuple[tuple[str, Format, int], ...]
) -> tuple[Clip, ...]:
    """Number the episodes of a show; each is its title, its format and its length in seconds."""
    return tuple(
        Clip(
            code=first + place,
            title=title,
            format=form,
            pictures=_pictures(form, seconds),
            show=show,
            episode=place + 1,
            year=year,
            genres=genres,
            summary=f"{show}, episode {place + 1}. {form.label}.",
        )
        for place, (title, form, seconds) in enumerate(episodes)
    )


def _film(code: int, title: str, year: int, genres: tuple[str, ...], form: Format, seconds: int) -> Clip:
    return Clip(
        code,
        title,
        form,
        _pictures(form, seconds),
        kind=ItemKind.FILM,
        year=year,
        genres=genres,
        summary=f"{title}. {form.label}.",
    )


def _filler(code: int, title: str, form: Format, seconds: int) -> Clip:
    return Clip(code, title, form, _pictures(form, seconds), kind=ItemKind.FILLER, genres=("Interlude",))


def _pictures(form: Format, seconds: int) -> int:
    return round(seconds / form.rate.seconds)


OPENING = _show(
    0,
    "First Light",
    2024,
    ("Nature",),
    (
        ("Harbour", MP4, 20),
        ("Meadow", MP4, 20),
        ("Rooftops", MP4, 20),
        ("Orchard", MP4, 20),
        ("Summit", MP4, 20),
    ),
)
"""The clips that are made first, are quickly made, and open every channel."""

FILLERS = (
    _filler(27, "Coming Up", MP4, 5),
    _filler(28, "Weather Vane", MP4_NTSC, 8),
    _filler(29, "Paper Boats", MP4, 10),
    _filler(30, "Interlude", MKV_SILENT, 12),
    _filler(31, "The Pause", MP4_MONO, 15),
)
"""Short clips for the gaps of channels whose programmes keep to the clock."""

CLIPS = (
    *OPENING,
    *FILLERS,
    *_show(
        5,
        "Harbour Road",
        2021,
        ("Drama",),
        (
            ("The Letter", MP4, 30),
            ("Low Tide", MP4_NTSC, 36),
            ("Two Keys", MKV_TWO, 42),
            ("The Lighthouse", MP4_VFR, 34),
            ("High Water", MKV_SURROUND, 48),
        ),
    ),
    *_show(
        10,
        "Clockmaker Street",
        2018,
        ("Mystery",),
        (
            ("The Missing Hour", MKV_CINEMA, 40),
            ("A Spring Uncoiled", MKV_CINEMA, 52),
            ("The Silent Bell", MKV_SILENT, 45),
            ("Zwei Stimmen", MKV_TWO, 58),
            ("Midnight Twice", MKV_CINEMA, 64),
        ),
    ),
    *_show(
        15,
        "Northern Gardens",
        2023,
        ("Documentary", "Nature"),
        (
            ("Moss and Stone", HEVC10, 32),
            ("Swifts", TS_720P50, 30),
            ("Under Glass", MP4_VFR, 44),
            ("The Walled Garden", HEVC10, 38),
        ),
    ),
    *_show(
        19,
        "The Parade Years",
        1984,
        ("Comedy",),
        (
            ("The New Set", MP4_MONO, 40),
            ("Brass Band", TS_OLD, 36),
            ("Wide Screen", TS_WIDE, 33),
            ("One Loudspeaker", TS_OLD_MONO, 46),
        ),
    ),
    _film(23, "The Long Platform", 1984, ("Drama",), TS_OLD, 90),
    _film(24, "Salt and Silver", 1972, ("Adventure",), MKV_SCOPE, 105),
    _film(25, "Night Ferry North", 2008, ("Mystery",), MKV_720, 112),
    _film(26, "A Map of Small Hours", 2019, ("Drama",), MKV_TWO, 98),
)
"""All clips, the opening ones first."""
