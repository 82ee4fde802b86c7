"""A server as people start it: ``exstream serve``, a process of its own with a data directory and free ports."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import psutil

from tests.programs import free_port
from tests.reliability.patience import eventually

PROGRAM = (sys.executable, "-m", "exstream")


@dataclass(frozen=True)
class Answer:
    """What came back over HTTP; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


def ask(url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None) -> Answer:
    """Send a request and read the whole answer, whatever its status."""
    request = urllib.request.Request(url, method=method, headers=dict(headers or {}))
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return Answer(answer.status, _lower(answer.headers), answer.read())
    except urllib.error.HTTPError as refusal:
        with refusal:
            return Answer(refusal.code, _lower(refusal.headers), refusal.read())


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def environment(data_dir: Path, **settings: object) -> dict[str, str]:
    """Return this environment without any setting of its own, and with ``settings`` (``iptv_port=0``)."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("EXSTREAM_", "PLEX_"))}
    chosen = {f"EXSTREAM_{name.upper()}": str(value) for name, value in settings.items()}
    return {**kept, "EXSTREAM_DATA_DIR": str(data_dir), "TZ": "UTC", **chosen}


def command(
    data_dir: Path, *arguments: str, prefix: Sequence[str] = (), **settings: object
) -> subprocess.CompletedProcess[str]:
    """Run a command of the command line to its end."""
    return subprocess.run(
        [*prefix, *PROGRAM, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
        env=environment(data_dir, **settings),
    )


class Server:
    """One server with its own data directory; may be started again after it has ended."""

    def __init__(self, home: Path, *, prefix: Sequence[str] = (), **settings: object) -> None:
        self.home = home
        self.data_dir = home / "data"
        self._prefix = prefix
        self._children_dir = home / "children"
        """Where every process that the server starts has its working directory: it is known by that."""
        self._children_dir.mkdir(parents=True, exist_ok=True)
        self.iptv_port, self.hdhr_port = free_port(), free_port()
        ports = {"iptv_port": self.iptv_port, "hdhr_port": self.hdhr_port, "host": "127.0.0.1"}
        self._settings: dict[str, object] = {**ports, **settings}
        self._console = home / "console.txt"
        self.process: subprocess.Popen[bytes] | None = None
        self._listener: threading.Thread | None = None

    @property
    def iptv(self) -> str:
        """The address of playlists, guide, streams, pages and API."""
        return f"http://127.0.0.1:{self.iptv_port}"

    @property
    def tuner(self) -> str:
        """The address of the tuner."""
        return f"http://127.0.0.1:{self.hdhr_port}"

    @property
    def running(self) -> subprocess.Popen[bytes]:
        """The server's process."""
        assert self.process is not None, "the server was never started"
        return self.process

    def start(self, until: str = "/readyz") -> None:
        """Start it and wait until it is ready, or at least alive (``/livez``)."""
        self.process = subprocess.Popen(
            [*self._prefix, *PROGRAM, "serve"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**environment(self.data_dir, **self._settings), "TMPDIR": str(self._children_dir)},
            cwd=self.home,
        )
        self._listener = threading.Thread(target=self._listen, args=(self.process.stdout,), name="console")
        self._listener.start()
        eventually(lambda: self._answers(until), f"the server answers {until}\n{self.console()}")

    def _answers(self, path: str) -> bool:
        assert self.running.poll() is None, f"the server ended:\n{self.console()}"
        try:
            return ask(f"{self.iptv}{path}").status == 200
        except OSError:
            return False

    def _listen(self, console: IO[bytes]) -> None:
        with console, self._console.open("ab", buffering=0) as kept:
            while words := console.read1(65_536):  # type: ignore[attr-defined]  # a buffered reader has it
                kept.write(words)

    def terminate(self) -> int:
        """Ask it to end, wait, and return its exit code."""
        self.running.terminate()
        return self.running.wait(60)

    def end(self) -> None:
        """End it by force if it still runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self._listener is not None:
            self._listener.join(10)

    def console(self) -> str:
        """Return everything it has said on its console, in all its lives."""
        return self._console.read_text(errors="replace") if self._console.exists() else ""

    def log(self) -> str:
        """Return everything in its log file."""
        return (self.data_dir / "logs" / "exstream.log").read_text()

    def children(self) -> list[psutil.Process]:
        """Return the processes that it has started and that live, whether it does or not."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.cwd() == str(self._children_dir) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def encoders(self) -> list[psutil.Process]:
        """Return those that encode for a channel."""
        found = []
        for process in self.children():
            try:
                if "mpegts" in process.cmdline():
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def json(self, path: str) -> Any:
        """Return what the API says at ``path``."""
        answer = ask(f"{self.iptv}/api/v1/{path}")
        assert answer.status == 200, answer
        return json.loads(answer.body)

    def stream(self, channel: str) -> str:
        """Return the address of a channel's stream."""
        return f"{self.iptv}/iptv/channel/{channel}.ts"

    def guide(self, channel: str, start: float, end: float) -> list[dict[str, Any]]:
        """Return the programmes of a channel between two instants in Unix time; ``starts`` and ``ends`` are too."""
        query = f"guide?channel={channel}&from={_written(start)}&to={_written(end)}"
        rows: list[dict[str, Any]] = self.json(query)
        for row in rows:
            row["starts"], row["ends"] = _seconds(row["starts"]), _seconds(row["ends"])
        return rows

    def figure(self, name: str) -> float:
        """Return a figure of /metrics, the sum over its labels."""
        text = ask(f"{self.iptv}/metrics").text
        return sum(
            float(value) for value in re.findall(rf"^{name}(?:\{{[^}}]*\}})? (\S+)$", text, re.MULTILINE)
        )

    @contextmanager
    def without_disk(self) -> Iterator[None]:
        """Let no write to any file of the server succeed for as long as the block lasts."""
        pid = self.running.pid
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
        try:
            yield
        finally:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))


@contextmanager
def served(server: Server) -> Iterator[Server]:
    """Run ``server`` for as long as the block lasts; no traceback may be left on its console or in its log."""
    server.start()
    try:
        yield server
    finally:
        server.end()
    assert "Traceback" not in server.console()
    assert "Traceback" not in server.log()


def _written(unix: float) -> str:
    return quote((datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=unix)).isoformat())


def _seconds(instant: str) -> float:
    return datetime.fromisoformat(instant).timestamp()
