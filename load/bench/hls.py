"""HLS: from the request for the master playlist to the first whole key frame of its first segment, as a player asks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urljoin

from load.bench.media import CABLE, SETTINGS, furnish
from load.bench.server import Server
from load.bench.spread import median, milliseconds
from load.bench.table import NotMeasured, Row
from load.bench.transport import Transport

COLD = {f"copy-{number}": "copy" for number in range(8)} | {f"hd-{number}": "720p25" for number in range(3)}
"""Each of them is tuned once: viewers by HLS are missed only after a while, so a channel does not cool down at once."""
WARM = 10
TARGET_SECONDS = 3.0
_PAUSE = 1.3
_TIMEOUT = 30.0


def measure(folder: Path) -> list[Row]:
    """Tune into cold channels by HLS, then again and again into one that is on air."""
    furnish(folder, (CABLE,), COLD)
    cold, warm = [], []
    with Server(folder, SETTINGS) as server:
        for channel in COLD:
            cold.append(first_key_frame(server.port, channel))
            time.sleep(_PAUSE)
        for _ in range(WARM):
            time.sleep(_PAUSE)
            warm.append(first_key_frame(server.port, next(iter(COLD))))
    return rows(cold, warm)


def first_key_frame(port: int, channel: str) -> float:
    """Return the seconds to the first whole key frame. Raises `NotMeasured` when a playlist leads nowhere."""
    began = time.perf_counter()
    connection = HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
    try:
        path = f"/iptv/channel/{channel}.m3u8"
        for _ in range(2):
            path = urljoin(path, _first_entry(path, _got(connection, path)))
        transport = Transport()
        connection.request("GET", path)
        with connection.getresponse() as answer:
            while not transport.keys:
                data = answer.read1(65_536)
                if not data:
                    raise NotMeasured(f"{path} ended without a key frame (status {answer.status})")
                transport.feed(data)
            return time.perf_counter() - began
    except (OSError, HTTPException) as fault:
        raise NotMeasured(f"{channel} by HLS: {fault}") from fault
    finally:
        connection.close()


def _got(connection: HTTPConnection, path: str) -> str:
    connection.request("GET", path)
    with connection.getresponse() as answer:
        body = answer.read().decode(errors="replace")
        if answer.status != 200:
            raise NotMeasured(f"{path} was answered with {answer.status}")
        return body


def _first_entry(path: str, playlist: str) -> str:
    entries = [line for line in playlist.splitlines() if line and not line.startswith("#")]
    if not entries:
        raise NotMeasured(f"{path} is an empty playlist")
    return entries[0]


def rows(cold: Sequence[float], warm: Sequence[float]) -> list[Row]:
    """Return what the tunes say; the slowest one has to meet the target."""
    return [
        Row(
            f"HLS, {kind} channel: first key frame, median (slowest)",
            f"{milliseconds(median(took))} ({milliseconds(max(took))})",
            "",
            f"<= {TARGET_SECONDS:.0f} s",
            max(took) <= TARGET_SECONDS,
            {"seconds": median(took), "slowest": max(took)},
        )
        for kind, took in (("cold", cold), ("warm", warm))
    ]
