"""How a profile is encoded: the same settings for every programme, card and silence, so joins need no new header."""

from __future__ import annotations

from math import ceil, gcd

from exstream.model.channel import Profile
from exstream.model.grid import AUDIO_RATE, KEY_FRAME_SECONDS, Rate

_LEVELS = (
    # level, macroblocks per second, macroblocks per picture, kbit/s of the High profile (H.264 table A-1)
    ("2.1", 19_800, 792, 5_000),
    ("3.0", 40_500, 1_620, 12_500),
    ("3.1", 108_000, 3_600, 17_500),
    ("3.2", 216_000, 5_120, 25_000),
    ("4.0", 245_760, 8_192, 25_000),
    ("4.1", 245_760, 8_192, 62_500),
    ("4.2", 522_240, 8_704, 62_500),
    ("5.0", 589_824, 22_080, 168_750),
    ("5.1", 983_040, 36_864, 300_000),
    ("5.2", 2_073_600, 36_864, 300_000),
)
B_PICTURES = 2
_OFTEN_MS = 500
_OFTEN_UNTIL_MS = 6_000
"""How far key frames lie apart, and for how long, where an order begins inside its item."""
_COLOUR = {
    "color_range": "tv",
    "colorspace": "bt709",
    "color_primaries": "bt709",
    "color_trc": "bt709",
    "chroma_sample_location": "left",
}


def h264_level(profile: Profile) -> str:
    """Return the lowest H.264 level that holds the profile's size, rate and bit rate; raises ValueError over 5.2."""
    blocks = ceil(profile.width / 16) * ceil(profile.height / 16)
    per_second = blocks * profile.rate.num / profile.rate.den
    for level, most_per_second, most, kbps in _LEVELS:
        if per_second <= most_per_second and blocks <= most and profile.max_kbps <= kbps:
            return level
    raise ValueError(f"profile {profile.name!r} is beyond H.264 level 5.2: lower its size, rate or bit rate")


def key_frame_expression(rate: Rate, first: int, *, inside: bool = False) -> str:
    """Return the ``-force_key_frames`` expression for which ``rate.is_key_picture(first + n)`` holds.

    An order that begins ``inside`` its item may come late, on a machine with much to do. Until then there is a card,
    which ends at its next key frame: so it has more of them in its first seconds.

    ffmpeg computes in doubles: ``first`` is reduced by the pattern's period so that every number stays a small integer.
    """
    span = KEY_FRAME_SECONDS * rate.num
    period = span // gcd(span, rate.den)
    regular = f"expr:lt(mod((n+{first % period})*{rate.den},{span}),{rate.den})"
    often, until = rate.picture_at(_OFTEN_MS), rate.picture_at(_OFTEN_UNTIL_MS)
    return f"{regular}+lt(n,{until})*not(mod(n,{often}))" if inside else regular


def video_options(profile: Profile) -> dict[str, str | int]:
    """Return the H.264 encoder's options; key frames come only where they are forced."""
    longest = 2 * KEY_FRAME_SECONDS * ceil(profile.rate.num / profile.rate.den)
    return {
        "c:v": "libx264",
        "preset": profile.preset,
        "profile:v": "high",
        "level:v": h264_level(profile),
        "r": str(profile.rate),
        "fps_mode": "cfr",
        "b:v": f"{profile.video_kbps}k",
        "maxrate": f"{profile.max_kbps}k",
        "bufsize": f"{profile.max_kbps}k",
        "bf": B_PICTURES,
        "g": longest,
        "keyint_min": longest,
        "sc_threshold": 0,
        "forced-idr": 1,
        "x264-params": "aud=1:b-pyramid=0:open-gop=0:stitchable=1",
        **_COLOUR,
    }


def audio_options(profile: Profile) -> dict[str, str | int]:
    """Return the AAC encoder's options; its priming packet is dropped so that frame 0 is the first that is heard."""
    return {
        "c:a": "aac",
        "b:a": f"{profile.audio_kbps}k",
        "ar": AUDIO_RATE,
        "ac": 2,
        "bsf:a": "noise=drop='lt(n,1)'",
    }
