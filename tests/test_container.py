"""The container's recipe: no engine runs here, so its rules are read and its scripts are run."""

import http.server
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def _instructions(text: str) -> list[tuple[str, str]]:
    """Return (instruction, arguments) in order; a here-document belongs to its instruction."""
    found: list[tuple[str, str]] = []
    lines = iter(text.splitlines())
    for line in lines:
        if not line.strip() or line.startswith("#"):
            continue
        whole = line
        while whole.endswith("\\"):
            whole = whole[:-1] + next(lines).strip()
        if heredoc := re.search(r"<<'(\w+)'", whole):
            whole += "\n" + "\n".join(iter(lambda: next(lines), heredoc[1]))
        keyword, _, arguments = whole.partition(" ")
        found.append((keyword, arguments.strip()))
    return found


INSTRUCTIONS = _instructions(DOCKERFILE)


def _only(keyword: str) -> str:
    (arguments,) = [arguments for name, arguments in INSTRUCTIONS if name == keyword]
    return arguments


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """Return the one service of compose.yaml."""
    services: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    return services["exstream"]


@pytest.fixture
def shared_folder() -> Iterator[Path]:
    """Yield a folder that any user may enter."""
    with tempfile.TemporaryDirectory(prefix="exstream-container-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def _entrypoint(folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the image's entrypoint with a stand-in for the server that tells who it is."""
    (script,) = [text.split("\n", 1)[1] for name, text in INSTRUCTIONS if name == "COPY" and "<<" in text]
    server = folder / "exstream"
    server.write_text(
        '#!/bin/sh\necho "$(id -u):$(id -g) $*"\ngrep -E "^(CapEff|NoNewPrivs)" /proc/self/status\n'
    )
    server.chmod(0o755)
    data = folder / "data"
    data.mkdir()
    inherited = {"PATH": f"{folder}:/usr/bin:/bin", "EXSTREAM_DATA_DIR": str(data)}
    argv = ["sh", "-c", script, "entrypoint", "serve"]
    return subprocess.run(argv, env=inherited | environment, capture_output=True, text=True, check=False)


def test_every_base_image_is_named_with_its_version() -> None:
    """No image floats: each stage says which Python and which Debian it stands on."""
    images = [arguments.split()[0] for keyword, arguments in INSTRUCTIONS if keyword == "FROM"]
    assert len(images) == 2
    assert all(re.fullmatch(r"python:3\.\d+-slim-bookworm", image) for image in images)


def test_the_image_declares_its_state_and_its_ports() -> None:
    """What must outlive the container, and what a viewer connects to."""
    assert _only("VOLUME") == "/data"
    assert _only("EXPOSE").split() == ["8411", "5004"]
    assert _only("ENTRYPOINT") == '["exstream-entrypoint"]'
    assert _only("CMD") == '["serve"]'


def test_packages_come_with_their_hashes_and_secrets_do_not() -> None:
    """Every package is checked against the lock file, and nothing of the host slips into the image."""
    fetches = [text for keyword, text in INSTRUCTIONS if keyword == "RUN" and "requirements.lock" in text]
    assert len(fetches) == 1
    assert "--require-hashes" in fetches[0]
    assert "ADD" not in {keyword for keyword, _ in INSTRUCTIONS}
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in allowed
    assert not {"!.env", "!.git", "!.venv"} & set(allowed)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_the_server_never_runs_as_root(shared_folder: Path) -> None:
    """Started as root, it becomes 10001 without a capability and owns its data."""
    done = _entrypoint(shared_folder, {})
    who, *status = done.stdout.splitlines()
    assert who == "10001:10001 serve"
    assert [line.split() for line in status] == [["CapEff:", "0" * 16], ["NoNewPrivs:", "1"]]
    assert (shared_folder / "data").stat().st_uid == 10001


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_puid_and_pgid_choose_the_user(shared_folder: Path) -> None:
    """The owner of the media is who the server runs as."""
    done = _entrypoint(shared_folder, {"PUID": "1234", "PGID": "4321"})
    assert done.stdout.startswith("1234:4321 serve\n")
    owner = (shared_folder / "data").stat()
    assert (owner.st_uid, owner.st_gid) == (1234, 4321)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is refused")
def test_puid_root_is_refused_in_a_sentence(shared_folder: Path) -> None:
    """Nobody gets a root server by mistake."""
    done = _entrypoint(shared_folder, {"PUID": "0"})
    assert done.returncode == 1
    assert "does not run as root" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_the_health_check_asks_the_server(status: int, *, healthy: bool) -> None:
    """The command itself, run against a real port: 200 is healthy, anything else is not."""
    command: list[str] = json.loads(_only("HEALTHCHECK").split("CMD ", 1)[1])
    asked: list[str] = []

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        environment = {"EXSTREAM_IPTV_PORT": str(server.server_port), "http_proxy": "http://127.0.0.1:1"}
        argv = [sys.executable, *command[1:]]
        done = subprocess.run(argv, env=environment, capture_output=True, check=False)
        server.shutdown()
        thread.join()
    assert asked == ["/livez"]
    assert (done.returncode == 0) is healthy


def test_compose_shows_the_tuner_to_the_network(compose: dict[str, Any]) -> None:
    """A bridge would hide discovery: the service uses the host's network."""
    assert compose["network_mode"] == "host"
    assert "ports" not in compose


def test_compose_gives_away_nothing_it_need_not(compose: dict[str, Any]) -> None:
    """Read-only but for its data and /tmp, no capabilities but those that change the user, media read-only."""
    assert compose["read_only"] is True
    assert compose["tmpfs"] == ["/tmp"]
    assert compose["cap_drop"] == ["ALL"]
    assert set(compose["cap_add"]) == {"CHOWN", "SETGID", "SETUID"}
    assert "no-new-privileges:true" in compose["security_opt"]
    assert all(volume.startswith("data:/data") or volume.endswith(":ro") for volume in compose["volumes"])
    assert "privileged" not in compose
