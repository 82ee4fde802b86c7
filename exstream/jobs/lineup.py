"""The lineup: the channels as their files say now, or said when they were last right."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import Path
from typing import NoReturn

import structlog
from pydantic import TypeAdapter, ValidationError
from watchfiles import awatch

from exstream.clock import Clock
from exstream.definitions import Definitions, Mention, load_directory
from exstream.errors import ConfigurationError
from exstream.model.channel import ChannelDefinition, ChannelId, ChannelNumber

Listener = Callable[[], Awaitable[None]]
_Fingerprint = tuple[tuple[str, int, int], ...]

_POLL_SECONDS = 10
"""How often the folder is looked at where the system does not tell of changes (a network share)."""

log = structlog.get_logger(__name__)


class Lineup:
    """Holds the channels, follows their folder and tells the listeners when one has changed.

    ``shipped`` fills the folder when there is none yet; None leaves it empty. ``memory`` is the file that keeps the
    last good definitions over a restart. ``timezone`` is for channels that name none.
    """

    def __init__(
        self,
        folder: Path,
        profiles: Collection[str],
        *,
        shipped: Path | None,
        memory: Path,
        clock: Clock,
        timezone: str = "UTC",
    ) -> None:
        self._folder = folder
        self._profiles = profiles
        self._shipped = shipped
        self._memory = memory
        self._clock = clock
        self._timezone = timezone
        self._listeners: list[Listener] = []
        self._found = Definitions()
        self._fingerprint: _Fingerprint | None = None
        self._enabled: tuple[ChannelDefinition, ...] = ()
        self.revision = 0
        """Grows with every change of a channel."""

    @property
    def channels(self) -> tuple[ChannelDefinition, ...]:
        """All channels in the order of their numbers, also those that are not enabled."""
        return self._found.channels

    @property
    def faults(self) -> tuple[str, ...]:
        """What is wrong with the files, one sentence each."""
        return self._found.faults

    @property
    def mentions(self) -> Mapping[str, tuple[Mention, ...]]:
        """The libraries and shows that the files select by, by file name."""
        return self._found.mentions

    def enabled(self) -> tuple[ChannelDefinition, ...]:
        """Return the channels on air in the order of their numbers."""
        return self._enabled

    def by_id(self, channel: ChannelId) -> ChannelDefinition | None:
        """Return the channel on air that has this id."""
        return next((each for each in self._enabled if each.id == channel), None)

    def by_number(self, number: ChannelNumber) -> ChannelDefinition | None:
        """Return the channel on air that has this number."""
        return next((each for each in self._enabled if each.number == number), None)

    def listen(self, listener: Listener) -> None:
        """Have ``listener`` called after every change of a channel."""
        self._listeners.append(listener)

    async def load(self) -> None:
        """Read the folder for the first time; fill it before, if there is none. Raises ConfigurationError."""
        await asyncio.to_thread(self._make_folder)
        last_good = await asyncio.to_thread(remembered, self._memory)
        await self._read(last_good)

    async def watch(self) -> NoReturn:
        """Follow the folder for ever."""
        while True:
            try:
                await self.refresh()  # what was changed before anybody watched
                # Without a change it yields all the same: then the folder is looked at.
                async for _ in awatch(
                    self._folder,
                    debounce=1_000,
                    step=500,
                    recursive=False,
                    rust_timeout=_POLL_SECONDS * 1000,
                    yield_on_timeout=True,
                ):
                    await self.refresh()
            except OSError as error:
                log.warning("the folder of the channels is not watched", reason=str(error))
            await self._clock.sleep(_POLL_SECONDS)
            await self.refresh()

    async def refresh(self) -> None:
        """Read the folder again if anything in it has changed."""
        if await asyncio.to_thread(_fingerprint, self._folder) != self._fingerprint:
            await self._read(self._found.files)

    async def _read(self, last_good: Mapping[str, ChannelDefinition]) -> None:
        # Taken before reading: what changes meanwhile is seen the next time.
        self._fingerprint = await asyncio.to_thread(_fingerprint, self._folder)
        found = await asyncio.to_thread(
            load_directory, self._folder, self._profiles, last_good, self._timezone
        )
        before, self._found = self._found, found
        for fault in found.faults:
            if fault not in before.faults:
                log.warning("a channel's definition is not used", fault=fault)
        if found.files != last_good or not self.revision:
            await asyncio.to_thread(self._remember, found.files)
        if found.channels == before.channels and self.revision:
            return
        self._enabled = tuple(channel for channel in found.channels if channel.enabled)
        self.revision += 1
        log.info("the lineup was read", channels=len(found.channels), on_air=len(self._enabled))
        for listener in self._listeners:
            await listener()

    def _make_folder(self) -> None:
        if self._folder.exists():
            return
        partial = self._folder.with_name(f"{self._folder.name}.partial")
        try:
            # Made beside and then renamed: a copy that broke off is not taken for the user's choice of channels.
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            for file in sorted(self._shipped.iterdir()) if self._shipped else ():
                if file.is_file() and not file.name.startswith("."):
                    shutil.copyfile(file, partial / file.name)
            partial.rename(self._folder)
        except OSError as error:
            raise ConfigurationError(
                f"the folder of the channels, {self._folder}, cannot be made ({error.strerror}): "
                "set EXSTREAM_CHANNELS_DIR to a folder that the server may write"
            ) from error

    def _remember(self, files: Mapping[str, ChannelDefinition]) -> None:
        partial = self._memory.with_name(f"{self._memory.name}.partial")
        try:
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(_files().dump_json(dict(files), indent=1))
            partial.replace(self._memory)
        except OSError as error:
            log.warning("the last good definitions could not be kept", reason=str(error))


def remembered(memory: Path) -> dict[str, ChannelDefinition]:
    """Return the last good definitions that a server has kept in the file ``memory``, by the names of their files."""
    try:
        return _files().validate_json(memory.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValidationError) as error:
        log.warning("the last good definitions are not known", file=str(memory), reason=str(error))
        return {}


def _files() -> TypeAdapter[dict[str, ChannelDefinition]]:
    return TypeAdapter(dict[str, ChannelDefinition])


def _fingerprint(folder: Path) -> _Fingerprint:
    """Return what changes when anything in the folder does; () when it cannot be read."""
    found: list[tuple[str, int, int]] = []
    try:
        for entry in folder.iterdir():
            status = entry.stat()
            found.append((entry.name, status.st_mtime_ns, status.st_size))
    except OSError:
        return tuple(found)
    return tuple(sorted(found))
