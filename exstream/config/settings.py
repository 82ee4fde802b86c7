"""Every setting: its name, default, meaning and what may be written."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from exstream.config import values
from exstream.config.profiles import shipped
from exstream.model.channel import Profile

ENVIRONMENT_PREFIX = "EXSTREAM_"
PLEX_VERSIONS = ("best", "smallest", "first")
LOG_LEVELS = ("debug", "info", "warning", "error", "critical")


@dataclass(frozen=True, slots=True)
class Option:
    """One setting as users see it. ``default`` is shown where the default depends on the machine."""

    name: str
    meaning: str
    read: values.Reader[object] | None
    """None: it can be set in exstream.yaml only, and is read elsewhere."""
    secret: bool
    default: str
    aliases: tuple[str, ...] = ()
    """Other names in the environment, the foremost first; all of them stand back behind its own."""

    @property
    def environment(self) -> str:
        """The name in the environment and in ``.env``; empty when there is none."""
        return "" if self.read is None else ENVIRONMENT_PREFIX + self.name.upper()


def machine_timezone() -> str:
    """Return the time zone this machine is set to; UTC where it is set to none that has a name."""
    import tzlocal

    try:
        return tzlocal.get_localzone_name() or "UTC"
    except (LookupError, OSError, ValueError):
        return "UTC"


def _about(
    read: values.Reader[Any] | None, meaning: str, default: str = "", aliases: tuple[str, ...] = ()
) -> Mapping[str, Any]:
    return {"read": read, "meaning": meaning, "default": default, "aliases": aliases}


def user_data_dir(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """Return where this platform keeps a user's data for Exstream."""
    if platform == "darwin":
        return Path("~/Library/Application Support/Exstream").expanduser()
    if platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or "~/AppData/Local").expanduser() / "Exstream"
    home = environment.get("XDG_DATA_HOME", "")
    return (Path(home) if Path(home).is_absolute() else Path("~/.local/share").expanduser()) / "exstream"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user chose; paths are absolute, and what depends on the data directory is filled in."""

    data_dir: Path = field(
        default_factory=user_data_dir,
        metadata=_about(
            values.path,
            "The folder of everything Exstream keeps: database, channels, demo library, cards, logs.",
            "~/.local/share/exstream, or below XDG_DATA_HOME",
        ),
    )
    config: Path = field(
        default=Path(),
        metadata=_about(values.path, "The file of settings.", "exstream.yaml in the data directory"),
    )
    channels_dir: Path = field(
        default=Path(),
        metadata=_about(
            values.path, "The folder of the channel definitions.", "channels/ in the data directory"
        ),
    )
    database_url: str = field(
        default="",
        repr=False,
        metadata=_about(
            values.database,
            "The database: SQLite, or PostgreSQL as postgresql+asyncpg://user:password@host/name.",
            "exstream.db (SQLite) in the data directory",
        ),
    )
    db_pool_size: int = field(
        default=20, metadata=_about(values.whole(1, 500), "Connections to PostgreSQL that are kept open.")
    )
    db_max_overflow: int = field(
        default=30,
        metadata=_about(values.whole(0, 500), "Connections to PostgreSQL beyond those, when all are in use."),
    )
    host: str = field(
        default="0.0.0.0",  # noqa: S104 -- television is for the whole house
        metadata=_about(values.address, "The address to listen on; 0.0.0.0 is every network."),
    )
    iptv_port: int = field(
        default=8411,
        metadata=_about(
            values.whole(0, 65_535),
            "The port of playlists, guide, streams, pages and API; 0 is any free one.",
        ),
    )
    hdhr_port: int = field(
        default=5004,
        metadata=_about(values.whole(0, 65_535), "The port of the HDHomeRun tuner; 0 is any free one."),
    )
    base_url: str = field(
        default="",
        metadata=_about(
            values.web_address,
            "The address at which players reach the server behind a reverse proxy, with its path.",
            "the one that each request names",
        ),
    )
    trusted_proxies: tuple[str, ...] = field(
        default=(),
        metadata=_about(
            values.networks,
            "Reverse proxies whose forwarding headers are believed, as addresses or networks.",
            "none",
        ),
    )
    tuner_count: int = field(
        default=4,
        metadata=_about(values.whole(1, 32), "How many channels the HDHomeRun tuner plays at the same time."),
    )
    friendly_name: str = field(
        default="Exstream", metadata=_about(values.text(64), "The name that players show for the tuner.")
    )
    ffmpeg: Path | None = field(
        default=None,
        metadata=_about(
            values.program,
            "The ffmpeg to use, for example one with hardware encoders.",
            "the one that came with Exstream",
        ),
    )
    profiles: Mapping[str, Profile] = field(
        default_factory=shipped,
        metadata=_about(
            None, "Output formats of your own, or changes to the shipped ones.", "the shipped ones"
        ),
    )
    horizon_days: int = field(
        default=7,
        metadata=_about(
            values.whole(2, 30), "How many days ahead the timeline is published and the guide reaches."
        ),
    )
    timezone: str = field(
        default="",
        metadata=_about(values.timezone, "The time zone of channels that name none.", "the machine's"),
    )
    linger_seconds: float = field(
        default=20.0,
        metadata=_about(
            values.decimal(0, 3_600), "How long a channel stays on air after its last viewer left."
        ),
    )
    burst_seconds: float = field(
        default=2.0,
        metadata=_about(
            values.decimal(1.5, 10), "How far a stream runs ahead of the clock to fill players' buffers."
        ),
    )
    asrun_days: int = field(
        default=35,
        metadata=_about(values.whole(1, 3_650), "How many days of what really aired are kept."),
    )
    demo: bool = field(
        default=True,
        metadata=_about(values.switch, "Make the demo library and air the demo channels."),
    )
    log_level: str = field(
        default="info",
        metadata=_about(values.choice(*LOG_LEVELS), f"How much is logged: {', '.join(LOG_LEVELS)}."),
    )
    metrics_token: str = field(
        default="",
        repr=False,
        metadata=_about(
            values.secret,
            "The token with which other machines may read /metrics.",
            "none: this machine only",
        ),
    )
    plex_url: str = field(
        default="",
        metadata=_about(
            values.web_address,
            "The address of a Plex server, such as http://192.168.1.5:32400.",
            "the servers that were signed in to",
            ("PLEX_BASE_URL", "PLEX_URL"),
        ),
    )
    plex_token: str = field(
        default="",
        repr=False,
        metadata=_about(
            values.secret, "The token of that Plex server.", "the one of the sign-in", ("PLEX_TOKEN",)
        ),
    )
    plex_section: str = field(
        default="",
        metadata=_about(
            values.text(200),
            "The only library to synchronise, by its key or its name.",
            "all that are enabled",
            ("PLEX_TV_SECTION_KEY",),
        ),
    )
    plex_page_size: int = field(
        default=500,
        metadata=_about(values.whole(1, 2_000), "How many items are asked of a Plex server in one page."),
    )
    plex_requests: int = field(
        default=3,
        metadata=_about(values.whole(1, 8), "How many requests a Plex server gets at the same time."),
    )
    plex_pool: int = field(
        default=8,
        metadata=_about(values.whole(1, 100), "Connections to a Plex server that are kept at most."),
    )
    plex_versions: str = field(
        default="best",
        metadata=_about(
            values.choice(*PLEX_VERSIONS),
            "Which version of an item is played where Plex has several: best, smallest, or its first.",
        ),
    )

    def __post_init__(self) -> None:
        """Fill in what depends on the data directory."""
        derived = {
            "config": self.data_dir / "exstream.yaml",
            "channels_dir": self.data_dir / "channels",
            "timezone": machine_timezone(),
            "database_url": f"sqlite+aiosqlite:///{self.data_dir / 'exstream.db'}",
        }
        for name, value in derived.items():
            if getattr(self, name) in {Path(), ""}:
                object.__setattr__(self, name, value)

    @property
    def journals_dir(self) -> Path:
        """Where the scans of libraries remember files, for the server and the command line alike."""
        return self.data_dir / "journals"

    @property
    def last_good_file(self) -> Path:
        """Where the last good channel definitions are kept, for the server and the command line alike."""
        return self.data_dir / "channels-last-good.json"

    @property
    def log_file(self) -> Path:
        """The newest of the log files."""
        return self.data_dir / "logs" / "exstream.log"

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that must never be shown; a SQLite file's name is none."""
        found = (self.metrics_token, self.plex_token, self.database_url)
        return tuple(value for value in found if value and not value.startswith("sqlite"))


def _shown(default: object) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    return f"{default:g}" if isinstance(default, float) else str(default)


OPTIONS: Mapping[str, Option] = {
    each.name: Option(
        each.name,
        each.metadata["meaning"],
        each.metadata["read"],
        not each.repr,
        each.metadata["default"] or _shown(each.default),
        each.metadata["aliases"],
    )
    for each in fields(Settings)
}
"""By the field's name, in the order they are shown."""
