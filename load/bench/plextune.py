"""Cold tune from a Plex server: beside the same file on this machine, with the server in a process of its own."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from load.bench.media import FILMS, READY_FILMS, SETTINGS, Clip, enlist, make
from load.bench.server import Server, environment
from load.bench.spread import median, milliseconds, p95
from load.bench.table import NotMeasured, Row
from load.bench.tune import Seen, first_picture
from load.plex_server import MediaFile, PlexServer, running_plex_server, small_library

TIMES = 12
TARGET_SECONDS = 0.1
"""So much longer it may take to the programme than from the same file on this machine."""
CLIPS: Mapping[str, tuple[Clip, str]] = {
    "mp4-copy": (READY_FILMS[0], "copy"),
    "mkv-copy": (READY_FILMS[2], "copy"),
    "mp4-720p25": (FILMS[0], "720p25"),
    "mkv-720p25": (FILMS[1], "720p25"),
}
"""What is tuned into, and the profile of its channels."""
_ELSEWHERE = "/somewhere/else"
_PAUSE = 1.0
_COMMAND_SECONDS = 60.0
_INSPECTION_SECONDS = 90.0


def measure(folder: Path) -> list[Row]:
    """Tune in at places left to chance: each film on this machine, then on the server, each time a cold channel."""
    files = []
    for clip, _ in CLIPS.values():
        make(clip, folder / "media")
        files.append(MediaFile(clip.name, round(clip.periods * 20_000), title=Path(clip.name).stem))
    with running_plex_server(small_library(folder / "media", files, root=_ELSEWHERE)) as plex:
        settings = {**SETTINGS, "EXSTREAM_PLEX_URL": plex.url, "EXSTREAM_PLEX_TOKEN": plex.token}
        enlist(folder, {}, None)
        _synchronise(folder, settings)
        _define(folder)
        with Server(folder, settings) as server:
            _wait_for_inspection(server)
            return rows(*_tuned(server, plex))


def _synchronise(home: Path, settings: Mapping[str, str]) -> None:
    for command in (["plex", "servers", "add"], ["sync-all"]):
        done = subprocess.run(
            [sys.executable, "-m", "exstream", *command],
            capture_output=True,
            timeout=_COMMAND_SECONDS,
            check=False,
            env=environment(home, settings),
            cwd=home,
        )
        if done.returncode:
            words = (done.stdout + done.stderr).decode(errors="replace").strip()
            raise NotMeasured(f"exstream {' '.join(command)}: {words}")


def _define(home: Path) -> None:
    number = 0
    for name, (clip, profile) in CLIPS.items():
        for place, library in (("here", "media"), ("plex", "Movies")):
            number += 1
            definition = {
                "number": str(number),
                "name": f"{place} {name}",
                "profile": profile,
                "programmes": [
                    {"pool": {"library": library, "title": Path(clip.name).stem}, "order": "shuffle"}
                ],
            }
            path = home / "channels" / f"{place}-{name}.yaml"
            path.write_text(yaml.safe_dump(definition), encoding="utf-8")


def _wait_for_inspection(server: Server) -> None:
    """Return when the server knows of its remote files that they can be sent as they are."""
    deadline = time.monotonic() + _INSPECTION_SECONDS
    for name, (_, profile) in CLIPS.items():
        while profile == "copy" and not _is_copied(first_picture(server, f"plex-{name}")):
            if time.monotonic() > deadline:
                raise NotMeasured(f"plex-{name} is still encoded after {_INSPECTION_SECONDS:.0f} s")
            time.sleep(1)


def _is_copied(seen: Seen) -> bool:
    return "copy" in seen.argv


def _tuned(
    server: Server, plex: PlexServer
) -> tuple[dict[str, list[Seen]], dict[str, list[Seen]], list[str]]:
    chance = random.Random(1984)
    here: dict[str, list[Seen]] = {name: [] for name in CLIPS}
    there: dict[str, list[Seen]] = {name: [] for name in CLIPS}
    failures: list[str] = []
    for _ in range(TIMES):
        for name in CLIPS:
            for place, done in (("here", here), ("plex", there)):
                time.sleep(chance.uniform(0, _PAUSE))
                try:
                    done[name].append(first_picture(server, f"{place}-{name}"))
                except NotMeasured as fault:
                    failures.append(f"{place}-{name}: {fault}")
    told = [word for seens in there.values() for seen in seens for word in seen.argv]
    if plex.token in " ".join(told):
        raise NotMeasured("the token is in the arguments of an encoder")
    return here, there, failures


def rows(
    here: Mapping[str, Sequence[Seen]], there: Mapping[str, Sequence[Seen]], failures: Sequence[str]
) -> list[Row]:
    """Return what the tunes from this machine and from the server say."""
    if failures or not all(here.values()) or not all(there.values()):
        raise NotMeasured("; ".join(failures) or "nothing was tuned into")
    found = []
    for name in here:
        local, remote = [[each.seconds for each in place[name]] for place in (here, there)]
        more, late = median(remote) - median(local), p95(remote) - p95(local)
        found.append(
            Row(
                f"cold tune from Plex, {name}: median, p95",
                f"{milliseconds(median(remote))}, {milliseconds(p95(remote))}",
                f"{milliseconds(median(local))}, {milliseconds(p95(local))} same file here",
                f"median <= {milliseconds(TARGET_SECONDS)} more",
                more <= TARGET_SECONDS,
                {"seconds": median(remote), "p95": p95(remote), "more": more, "p95_more": late},
            )
        )
    carded = sum(each.carded for done in there.values() for each in done)
    found.append(Row("cold tune from Plex: card first", f"{carded}", "", "0", not carded, {"carded": carded}))
    return found
