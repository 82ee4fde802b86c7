"""``exstream plex``: signing in, and the servers, libraries and folders that follow from it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from exstream.cli import plex_libraries, plex_mapping, plex_servers
from exstream.cli.invocation import AsJson, DataDir, invocation, write_json
from exstream.cli.outcome import ExitCode, say, write
from exstream.cli.plex_access import asked, asker, kept_servers
from exstream.clock import SystemClock
from exstream.config import Settings
from exstream.errors import ConfigurationError, OutboundError, Unreachable
from exstream.model.server import Server

if TYPE_CHECKING:
    from exstream.plex.account import Account, Offered
    from exstream.plex.records import Identity, Section
    from exstream.plex.signin import Pin
    from exstream.store.plex import PlexStore

app = typer.Typer(help="Plex servers, their libraries, and where their files lie here.", no_args_is_help=True)
app.add_typer(plex_servers.app, name="servers")
app.add_typer(plex_libraries.app, name="libraries")
app.add_typer(plex_mapping.app, name="map")

_NoBrowser = Annotated[
    bool, typer.Option("--no-browser", help="Only show the address: it may be opened on any device.")
]
_Chosen = Annotated[
    list[str] | None,
    typer.Option(
        "--server",
        metavar="NAME",
        help="Add only this server, by name or identifier; several times for several.",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True)
class _Result:
    """What became of one server of the account."""

    name: str
    id: str
    url: str = ""
    version: str = ""
    libraries: tuple[str, ...] = ()
    reason: str = ""
    """Why it was not added; empty where it was."""
    unreachable: bool = False
    skipped: bool = False
    """Nobody asked for it."""


@app.command("login")
def login(
    context: typer.Context,
    no_browser: _NoBrowser = False,
    server: _Chosen = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Sign in to a Plex account with a browser, and add its servers."""
    settings = invocation(context).settings(data_dir=data_dir)
    account, results = asyncio.run(_signed_in(settings, server or [], browser=not no_browser))
    if as_json:
        write_json({"account": account.name, "servers": [_shown(result) for result in results]})
    else:
        _write(account, results)
    raise typer.Exit(_verdict(results))


async def _signed_in(
    settings: Settings, chosen: Sequence[str], *, browser: bool
) -> tuple[Account, list[_Result]]:
    account, offered = await _offered(settings, browser=browser)
    _refuse_unknown(chosen, offered)
    async with kept_servers(settings) as store:
        known = {server.id: server for server in await store.servers()}
        return account, [
            await _added(settings, store, each, known.get(each.machine))
            if _is_wanted(each, chosen)
            else _Result(each.name, each.machine, reason=_left_out(each), skipped=True)
            for each in offered
        ]


async def _offered(settings: Settings, *, browser: bool) -> tuple[Account, list[Offered]]:
    """Return the account that the user signs in to, and its servers. The account's token is not kept."""
    from exstream.plex.api import greeting
    from exstream.plex.installation import client_id
    from exstream.plex.signin import SignIn
    from exstream.plex.web import PlexTvWeb

    clock = SystemClock()
    async with PlexTvWeb(clock) as web:
        sign_in = SignIn(web, greeting(client_id(settings.data_dir)), clock)
        pin = await sign_in.begin()
        _show(pin, browser=browser)
        token = await sign_in.wait(pin)
        return await sign_in.account(token), await sign_in.servers(token)


def _show(pin: Pin, *, browser: bool) -> None:
    say("Open this address in a browser, on any device, and sign in:\n")
    say(f"  {pin.page}\n")
    say(f"The code in it is {pin.code}. Waiting for you; Ctrl-C gives up.")
    if browser and _has_browser():
        import webbrowser

        webbrowser.open(pin.page)


def _has_browser() -> bool:
    """Tell whether a browser would get a window: one for the terminal would get in the way."""
    return sys.platform in {"win32", "darwin"} or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))


def _refuse_unknown(chosen: Sequence[str], offered: Sequence[Offered]) -> None:
    for name in chosen:
        if not any(_is_wanted(each, [name]) for each in offered):
            known = ", ".join(each.name for each in offered) or "none"
            raise ConfigurationError(f"the account has no server {name!r}: its servers are {known}")


def _is_wanted(offered: Offered, chosen: Sequence[str]) -> bool:
    if not chosen:
        return offered.owned
    return bool({offered.machine.casefold(), offered.name.casefold()} & {name.casefold() for name in chosen})


def _left_out(offered: Offered) -> str:
    if offered.owned:
        return "it was not asked for"
    owner = f"it is shared by {offered.owner}" if offered.owner else "it is shared by another account"
    return f"{owner}: add it with --server {offered.name!r}"


async def _added(settings: Settings, store: PlexStore, offered: Offered, known: Server | None) -> _Result:
    """Look for the best way to a server, have it accept the token, and keep both."""
    try:
        server, sections = await _reached(settings, offered, known)
    except OutboundError as error:
        unreachable = isinstance(error, Unreachable)
        return _Result(offered.name, offered.machine, reason=str(error), unreachable=unreachable)
    await store.keep_server(server)
    await store.take_sections(server.id, sections)
    titles = tuple(section.title for section in sections)
    return _Result(server.name, server.id, server.url, server.version, titles)


async def _reached(
    settings: Settings, offered: Offered, known: Server | None
) -> tuple[Server, Sequence[Section]]:
    from exstream.plex.account import addresses
    from exstream.plex.signin import best_way

    own = [url for url in (known.url if known else "", settings.plex_url) if url]
    unchecked = known.url.rstrip("/") if known is not None and not known.verify else ""
    strict, lenient = asker(settings, verify=True), asker(settings, verify=False)

    async def identify(url: str) -> Identity:
        return await (lenient if url == unchecked else strict)(url)

    way = await best_way(offered.machine, addresses(offered, own), identify)
    name = known.name if known is not None else offered.name
    verify = way.url != unchecked
    server = Server(offered.machine, name, way.url, offered.token, verify, way.identity.version)
    _, sections = await asked(settings, server)
    return server, sections


def _shown(result: _Result) -> dict[str, object]:
    return {
        "name": result.name,
        "id": result.id,
        "added": not result.reason,
        "url": result.url,
        "version": result.version,
        "libraries": list(result.libraries),
        "reason": result.reason,
    }


def _write(account: Account, results: Sequence[_Result]) -> None:
    write(f"Signed in as {account.name}.")
    if not results:
        write("The account has no servers.")
    for result in results:
        if result.reason:
            first, *more = result.reason.splitlines()
            write(f"{result.name}: not added: {first}")
            for line in more:
                write(line)
        else:
            libraries = ", ".join(result.libraries) or "none"
            write(f"{result.name}: added, {result.url}, Plex {result.version}; libraries: {libraries}")


def _verdict(results: Sequence[_Result]) -> ExitCode:
    failed = [result for result in results if result.reason and not result.skipped]
    if not failed:
        return ExitCode.OK
    if any(not result.reason for result in results):
        return ExitCode.PARTIAL
    return ExitCode.UNREACHABLE if all(result.unreachable for result in failed) else ExitCode.FAILURE
