"""Definitions as text, and short ways to read them."""

from collections.abc import Mapping
from pathlib import Path

from exstream.definitions import Definitions, load_directory
from exstream.definitions.schema import Report, read_definition
from exstream.model.channel import ChannelDefinition

PROFILES = ("480p25", "720p25", "1080p25")
WHOLE = """\
number: "102"
name: Robot Harbour
profile: 480p25
timezone: Europe/Berlin
group: Demo
logo: https://example.org/harbour.png
align: 30m
programmes:
  - pool: {kind: episode, show: Robot Harbour}
    order: chronological
    count: 2
  - name: old films
    pool:
      kind: [film, other]
      library: Films
      genre: [Drama, Comedy]
      title: [One, Two]
      years: 1980..1989
    order: shuffle
filler:
  pool: {kind: filler}
  order: shuffle
enabled: false
warm: yes
seed: winter
tags: [demo, robots]
"""
SHORT = """\
number: 7
name: Seven
profile: 720p25
programmes:
  - pool: {}
"""


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def load(folder: Path, last_good: Mapping[str, ChannelDefinition] | None = None) -> Definitions:
    return load_directory(folder, PROFILES, last_good or {}, "Europe/Paris")


def faults(content: str | bytes) -> list[str]:
    report = Report()
    encoded = content if isinstance(content, bytes) else content.encode()
    read_definition(encoded, "channel", PROFILES, "UTC", report)
    return [f"{line}: {sentence}" for line, sentence in report.faults]


def number_of(content: str) -> str:
    written = read_definition(content.encode(), "channel", PROFILES, "UTC", Report())
    assert written is not None
    return written.number
