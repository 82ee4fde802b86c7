"""The profiles that ship with the product; one's own are added in the configuration."""

from __future__ import annotations

from exstream.model.channel import Profile
from exstream.model.grid import Rate

SHIPPED = (
    Profile("480p25", 854, 480, Rate(25), video_kbps=1_200, max_kbps=1_500, audio_kbps=128),
    Profile("720p25", 1_280, 720, Rate(25), video_kbps=3_000, max_kbps=3_500),
    Profile("720p30", 1_280, 720, Rate(30_000, 1_001), video_kbps=3_000, max_kbps=3_500),
    Profile("1080p25", 1_920, 1_080, Rate(25), video_kbps=6_000, max_kbps=7_000),
)
