"""Tells in the log of libraries and shows that channels select by and that are not there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import structlog

from exstream.definitions import Mention, Names, unknown
from exstream.errors import StoreError
from exstream.model.catalogue import Catalogue, Library

log = structlog.get_logger(__name__)


class Selecting(Protocol):
    """The files of the channels."""

    @property
    def mentions(self) -> Mapping[str, Sequence[Mention]]:
        """The names that they select by, by file name."""


class Selections:
    """Warns once of each name, for as long as it lasts: a library may come later, till then the pool is empty."""

    def __init__(
        self,
        lineup: Selecting,
        libraries: Callable[[], Awaitable[Sequence[Library]]],
        catalogue: Callable[[], Catalogue],
    ) -> None:
        self._lineup = lineup
        self._libraries = libraries
        self._catalogue = catalogue
        self._told: frozenset[str] = frozenset()

    async def look(self) -> None:
        """Compare the channels as they are now with the libraries as they are now."""
        if not self._lineup.mentions:
            self._told = frozenset()
            return
        try:
            libraries = await self._libraries()
        except StoreError as error:
            log.warning("whether channels select from what is there is not known", reason=str(error))
            return
        names = Names.of(libraries, self._catalogue().items.values())
        absent = list(unknown(self._lineup.mentions, names))
        for fault in absent:
            if fault not in self._told:
                log.warning("a channel selects from what is not there", fault=fault)
        self._told = frozenset(absent)
