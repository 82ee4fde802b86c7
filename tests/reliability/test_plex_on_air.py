"""A real server whose films all come from a Plex server, while that one fails: viewers stay, and the guide is true."""

from __future__ import annotations

import re
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from load.plex_server import MediaFile, PlexServer, running_plex_server, small_library
from tests.referee import decode_faults, examine
from tests.reliability.conftest import FILM_SECONDS, FILMS
from tests.reliability.library import PROFILES, as_run, channel
from tests.reliability.patience import eventually
from tests.reliability.recording import Recording
from tests.reliability.server import Server, ask, command, served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

PICTURE = 3_600.0
"""What the referee may take for the time of a picture: ticks of 90 kHz at 25 a second."""
ANSWER_SECONDS = 30.0
"""How long a server that crawls takes for an answer. Whoever does not wait for it needs a small part of that."""


@dataclass(frozen=True)
class House:
    """A server on air and the Plex server behind it, whose folders lie nowhere on this machine."""

    server: Server
    plex: PlexServer
    films: Path

    def part(self, title: str) -> str:
        """Return a pattern of the addresses of a film's bytes."""
        return f"/library/parts/{self.plex.find(title)['parts'][0]['id']}/"

    def on_now(self) -> str:
        """Return the title of what is on."""
        title: str = self.server.json("channels/one/now")["now"]["title"]
        return title

    def told(self) -> str:
        """Return what the page says that is wrong."""
        page = ask(f"{self.server.iptv}/").text
        return " ".join(re.findall(r'role="alert">([^<]*)<', page))

    def aired(self, since: float) -> list[str]:
        """Return which films were on air whole since an instant, by the titles that were planned."""
        return [title for title, outcome, _ in self.log(since) if outcome == "aired"]

    def log(self, since: float, on: str = "one") -> list[tuple[str, str, int | None]]:
        """Return the title, the outcome and the drift in milliseconds of what began after an instant."""
        database = self.server.data_dir / "exstream.db"
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as log:
            rows = log.execute(
                "SELECT title, outcome, drift_ms FROM asrun WHERE item IS NOT NULL AND channel = ? AND starts > ?"
                " ORDER BY starts",
                (on, since * 1_000),
            )
            return rows.fetchall()


@pytest.fixture
def house(reel: Path, tmp_path: Path) -> Iterator[House]:
    """Put one channel on air with films of a Plex server in the order of their names, and one with a film from here."""
    films = Path(shutil.copytree(reel, tmp_path / "films"))
    files = [
        MediaFile(
            f"{name}.mp4", FILM_SECONDS * 1_000, name, 2001, fields={"guids": [f"tmdb://{1_000 + place}"]}
        )
        for place, name in enumerate(FILMS)
    ]
    plan = small_library(films, files, root="/volume1/films")
    with running_plex_server(plan, machine="m-den", name="Den") as plex:
        settings = {"plex_url": plex.url, "plex_token": plex.token}
        server = Server(tmp_path / "home", demo="false", horizon_days=2, linger_seconds=1, **settings)
        (server.data_dir / "channels").mkdir(parents=True)
        (server.data_dir / "exstream.yaml").write_text(PROFILES)
        definition = channel("1", "One", order="chronological", pool="{library: Movies}")
        (server.data_dir / "channels" / "one.yaml").write_text(definition)
        definition = channel("2", "Two", pool="{library: here}")
        (server.data_dir / "channels" / "two.yaml").write_text(definition)
        read = command(server.data_dir, "sync-all", demo="false", **settings)
        assert read.returncode == 0, read.stderr
        here = tmp_path / "here"
        here.mkdir()
        shutil.copy2(films / "amber.mp4", here / "elder.mp4")
        assert command(server.data_dir, "library", "add", str(here), demo="false").returncode == 0
        with served(server):
            yield House(server, plex, films)
        assert plex.token not in server.console()


def test_a_plex_server_that_goes_away_stops_no_stream(house: House, tmp_path: Path, ffmpeg: str) -> None:
    """While it refuses connections every page says so and the channel goes on; then its films are on again."""
    path = tmp_path / "one.ts"
    with Recording(house.server.stream("one"), path) as recording:
        eventually(lambda: house.aired(0), "a film was on air whole")
        house.plex.stop_listening()
        gone = time.time()
        eventually(lambda: house.plex.url in house.told(), "the page says that it does not answer")
        eventually(lambda: len(house.log(gone)) >= 3, "three programmes had their turn without it")
        before = house.server.guide("one", gone, gone + 3_600)
        assert not recording.ended.is_set()
        received = recording.received
        eventually(lambda: recording.received > received + 20_000, "something is on all the same")
        house.plex.listen_again()
        back = time.time()
        eventually(lambda: house.aired(back), "a film is on again", seconds=150)
        eventually(lambda: not house.told(), "the page says that all is well again", seconds=150)
        after = house.server.guide("one", before[1]["starts"] + 0.5, before[-1]["starts"] - 0.5)
        assert after == before[1:-1]
        data = recording.stop()
    assert not recording.closed_by_server
    assert examine(data, PICTURE).faults == []
    assert decode_faults(ffmpeg, path) == ""


def test_files_that_are_refused_cut_or_changed_cost_their_own_time_only(
    house: House, tmp_path: Path, ffmpeg: str
) -> None:
    """One film is 404, one always breaks off, one changes its size while it is read: the fourth is on to the moment."""
    path = tmp_path / "one.ts"
    house.plex.harm("status", house.part("amber"), status=404)
    house.plex.harm("cut", house.part("birch"), after=20_000)
    house.plex.harm("another_size", house.part("cedar"), size=123_456_789)
    with Recording(house.server.stream("one"), path) as recording:
        began = time.time()
        eventually(
            lambda: house.aired(began).count("dogwood") >= 2, "the fourth film was on twice", seconds=150
        )
        assert not recording.ended.is_set()
        data = recording.stop()
    assert examine(data, PICTURE).faults == []
    assert decode_faults(ffmpeg, path) == ""
    drifts = [drift for title, outcome, drift in house.log(began) if (title, outcome) == ("dogwood", "aired")]
    assert all(drift is not None and abs(drift) <= 2_000 for drift in drifts)
    assert "amber" not in house.aired(began)


def test_a_film_of_a_new_key_plays_where_the_old_one_was_planned(
    house: House, tmp_path: Path, ffmpeg: str
) -> None:
    """A film is removed and comes back under another key, on air and in the days to come: guide and stream agree."""
    path = tmp_path / "one.ts"
    with Recording(house.server.stream("one"), path) as recording:
        eventually(lambda: house.on_now() == "birch" and house.aired(0), "the second film is on")
        guide = house.server.guide("one", time.time() + 1, time.time() + 1_800)
        old = house.plex.find("birch")
        disk = str(house.films / "birch.mp4")
        house.plex.remove(old["key"])
        part = {"file": old["parts"][0]["file"], "disk": disk, "size": old["parts"][0]["size"]}
        new = house.plex.add(
            "movie",
            "birch",
            section=old["section"],
            year=2001,
            duration=FILM_SECONDS * 1_000,
            guids=["tmdb://1001"],
            versions=[{"parts": [{**part, "duration": FILM_SECONDS * 1_000}]}],
        )
        assert new != old["key"]
        moved = time.time()
        eventually(
            lambda: house.aired(moved + FILM_SECONDS).count("birch") >= 2, "it was on twice", seconds=150
        )
        data = recording.stop()
    assert house.server.guide("one", guide[1]["starts"] + 0.5, guide[-1]["starts"] - 0.5) == guide[1:-1]
    titles = {round(row["starts"]): row["title"] for row in guide}
    planned = {round(starts): item for item, _, starts in as_run(house.server)}
    assert {titles[at] for at, item in planned.items() if at in titles and item == f"m-den:{old['key']}"} == {
        "birch"
    }
    assert examine(data, PICTURE).faults == []
    assert decode_faults(ffmpeg, path) == ""


def test_a_film_that_is_replaced_by_another_file_plays_from_its_new_address(house: House) -> None:
    """Files are replaced and their old addresses are no more: the films are on under the new ones."""
    house.plex.switch(strict_parts=True)
    with Recording(house.server.stream("one"), house.films.parent / "one.ts") as recording:
        eventually(lambda: house.aired(0), "a film was on air whole")
        for name in FILMS:
            house.plex.replace_file(house.plex.find(name)["key"], disk=str(house.films / "amber.mp4"))
        replaced = time.time() + FILM_SECONDS
        eventually(lambda: len(set(house.aired(replaced))) >= 3, "three films were on from new addresses")
        assert not recording.ended.is_set()


def test_a_plex_server_that_crawls_harms_no_other_channel(house: House, tmp_path: Path) -> None:
    """Every answer takes half a minute, every file comes byte by byte: the other channel and the API notice nothing."""
    with (
        Recording(house.server.stream("two"), tmp_path / "two.ts") as other,
        Recording(house.server.stream("one"), tmp_path / "one.ts") as recording,
    ):
        eventually(lambda: house.aired(0) and house.log(0, "two"), "both channels are on")
        house.plex.harm("delay", "/library/(sections|metadata)", seconds=ANSWER_SECONDS)
        house.plex.harm("drip", "/library/parts", rate=1)
        slow = time.time() + FILM_SECONDS
        took = []
        while len(house.log(slow)) < 3:
            assert time.time() < slow + 180
            began = time.monotonic()
            assert house.server.json("channels/one/now")
            took.append(time.monotonic() - began)
            time.sleep(0.2)
        assert not recording.ended.is_set()
        data = other.stop()
    assert max(took) < ANSWER_SECONDS / 2
    assert examine(data, PICTURE).faults == []
    assert {outcome for _, outcome, _ in house.log(slow, "two")} == {"aired"}


def test_a_token_that_counts_no_more_is_told_and_the_schedule_stays(house: House, tmp_path: Path) -> None:
    """The API says to sign in again, the guide stays as it was, the stream goes on; a new token mends it at once."""
    with Recording(house.server.stream("one"), tmp_path / "one.ts") as recording:
        eventually(lambda: house.aired(0), "a film was on air whole")
        guide = house.server.guide("one", time.time() + 300, time.time() + 1_800)
        house.plex.refuse(house.plex.token)
        house.plex.cut_lines()
        refused = time.time()
        eventually(
            lambda: "sign in again" in str(house.server.json("servers")), "it says what to do", seconds=150
        )
        assert house.server.guide("one", guide[1]["starts"] + 0.5, guide[-1]["starts"] - 0.5) == guide[1:-1]
        eventually(lambda: house.log(refused + FILM_SECONDS), "the next programme had its turn")
        shown = [asked for asked in house.plex.asked() if asked["status"] == 401]
        assert len(shown) <= 2 + (time.time() - refused) / 60 * 2
        house.plex.allow("another-token")
        (house.films.parent / "token").write_text("another-token")
        arguments = ("--url", house.plex.url, "--token-file", str(house.films.parent / "token"))
        done = command(house.server.data_dir, "plex", "servers", "add", *arguments, demo="false")
        assert done.returncode == 0, done.stderr
        mended = time.time()
        eventually(lambda: house.aired(mended), "a film is on again")
        assert not recording.ended.is_set()
