"""Asking a server as a client would."""

from typing import Any

import httpx

from load.plex_server import PlexServer


def session(plex: PlexServer, token: str | None = None) -> httpx.Client:
    """Return a session that asks for JSON, with the owner's token or another."""
    headers = {"Accept": "application/json", "X-Plex-Token": plex.token if token is None else token}
    return httpx.Client(base_url=plex.url, headers=headers, trust_env=False, timeout=20)


def container(client: httpx.Client, path: str, params: str = "", **headers: str) -> dict[str, Any]:
    """Return the `MediaContainer` at ``path``; ``params`` is the query as it is written."""
    answer = client.get(f"{path}?{params}" if params else path, headers=headers)
    assert answer.status_code == 200, answer
    told: dict[str, Any] = answer.json()["MediaContainer"]
    return told


def rows(client: httpx.Client, path: str, params: str = "") -> list[dict[str, Any]]:
    """Return the entries at ``path``."""
    found: list[dict[str, Any]] = container(client, path, params).get("Metadata", [])
    return found


def titles(client: httpx.Client, path: str, params: str = "") -> list[str]:
    """Return the titles of the entries at ``path``."""
    return [row["title"] for row in rows(client, path, params)]


def entry(client: httpx.Client, key: object, params: str = "") -> dict[str, Any]:
    """Return an entry with everything."""
    (found,) = rows(client, f"/library/metadata/{key}", params)
    return found
