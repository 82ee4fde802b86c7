"""A server put together from its pieces, with both its ports."""

from __future__ import annotations

from typing import Any

from load.plex_server.application import Application, Lines, ServerSite
from load.plex_server.asking import OWNER_TOKEN, SHARED_TOKEN, Account, Switches
from load.plex_server.build import build
from load.plex_server.catalogue import Catalogue
from load.plex_server.control import Orders
from load.plex_server.counters import Counters
from load.plex_server.faults import Faults
from load.plex_server.listeners import Listener
from load.plex_server.listing import Listing
from load.plex_server.notices import Notices
from load.plex_server.pages import Pages
from load.plex_server.parts import Parts
from load.plex_server.plans import Plan
from load.plex_server.plextv import ACCOUNT_TOKEN, PlexTv, connection, resource
from load.plex_server.work import Work

_NOBODY = 9
"""A port on which nothing listens: the discard protocol's."""


class Assembly:
    """One media server and the plex.tv that knows it."""

    def __init__(self, plan: Plan, machine: str, name: str, host: str) -> None:
        self._host = host
        self._machine = machine
        self._name = name
        catalogue, switches, notices = Catalogue(machine), Switches(name=name), Notices()
        build(plan, catalogue)
        catalogue.tellers.append(notices.entry)
        listing, work = Listing(catalogue, switches), Work(catalogue, notices, switches)
        faults, counters = Faults(), Counters()
        accounts = {
            OWNER_TOKEN: Account("owner"),
            SHARED_TOKEN: Account("shared", owner=False, downloads=False),
        }
        self._plex_tv = PlexTv(machine)
        orders = Orders(
            catalogue, listing, work, notices, switches, faults, counters, accounts, self._plex_tv
        )
        pages = Pages(catalogue, switches, notices, listing, Parts(catalogue, switches), work)
        site = ServerSite(pages, accounts)
        inner = Application(site, orders, faults, counters, switches)
        self._server = Listener(Lines(inner, site, notices, faults, counters), host)
        self._outside = Listener(Application(self._plex_tv, orders, faults, counters, switches), host)
        orders.learn("stop_listening", self._server.close)
        orders.learn("listen", self._server.open)

    async def open(self, port: int = 0, plex_tv_port: int = 0) -> None:
        """Listen on both ports; 0 takes a free one."""
        self._server.port, self._outside.port = port, plex_tv_port
        await self._server.open()
        await self._outside.open()
        self._plex_tv.resources = self._resources()

    async def close(self) -> None:
        """Drop everybody."""
        await self._server.close()
        await self._outside.close()

    @property
    def addresses(self) -> dict[str, Any]:
        """Where everything is, and with which tokens."""
        return {
            "url": f"http://{self._host}:{self._server.port}",
            "plex_tv": f"http://{self._host}:{self._outside.port}",
            "machine": self._machine,
            "token": OWNER_TOKEN,
            "shared_token": SHARED_TOKEN,
            "account_token": ACCOUNT_TOKEN,
        }

    def _resources(self) -> list[dict[str, Any]]:
        ways = [
            connection(self._host, _NOBODY),
            connection(self._host, self._outside.port),
            connection(self._host, self._server.port),
            connection("203.0.113.7", 32400, local=False, uri="https://203-0-113-7.fake.plex.direct:32400"),
            connection(
                "203.0.113.8", 8443, local=False, relay=True, uri="https://203-0-113-8.fake.plex.direct:8443"
            ),
        ]
        player = resource("player-1", "Television", "", [], product="Plex for LG", provides="client,player")
        return [resource(self._machine, self._name, OWNER_TOKEN, ways), player]
