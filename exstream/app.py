"""The composition root: every part is made here, given what it needs, and stopped in the right order."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog

from exstream.clock import SystemClock
from exstream.config import Settings
from exstream.errors import UnknownChannel
from exstream.ffmpeg.capabilities import ffmpeg_version, find_ffmpeg, version_warnings
from exstream.ffmpeg.feed import FfmpegFeeds
from exstream.ffmpeg.font import font_file
from exstream.ffmpeg.probe import Prober
from exstream.ffmpeg.process import Processes
from exstream.jobs.asrun import AsRunWriter
from exstream.jobs.bad_files import BadFiles
from exstream.jobs.board import Board
from exstream.jobs.card_rack import CardRack
from exstream.jobs.cards import CardMaker
from exstream.jobs.catalogue import CatalogueHolder
from exstream.jobs.demo import DemoLibrary
from exstream.jobs.demo_clip import ClipMaker
from exstream.jobs.demo_order import follow_the_air
from exstream.jobs.formats import Formats
from exstream.jobs.library import LibraryScanner
from exstream.jobs.lineup import Lineup
from exstream.jobs.press import Press
from exstream.jobs.publish import Publisher
from exstream.jobs.selections import Selections
from exstream.jobs.standby import Standby
from exstream.jobs.supervisor import outcome_of, supervised
from exstream.jobs.watch import LibraryWatch
from exstream.model.catalogue import Catalogue
from exstream.model.channel import ChannelDefinition, ChannelId
from exstream.playout.figures import Figures
from exstream.playout.player import Player
from exstream.playout.pump import Pump
from exstream.playout.restart import Ladder
from exstream.playout.starts import StaggeredFeeds
from exstream.playout.studio import Studio
from exstream.playout.tuners import Tuners
from exstream.resources import data_path
from exstream.sources.quarantine import Quarantine
from exstream.sources.resolver import Resolver
from exstream.sources.substitutes import LibrarySubstitutes
from exstream.store.asrun import AsRunStore
from exstream.store.bad_files import BadFileStore
from exstream.store.catalogue import CatalogueStore
from exstream.store.database import Database
from exstream.store.occupancy import occupied
from exstream.store.schedules import ScheduleStore
from exstream.telemetry import Metrics, Redaction, settle_memory, watch_loop, write_logs
from exstream.web.deps import Parts, WebOptions
from exstream.web.identity import load_device
from exstream.web.servers import Servers, Site
from exstream.web.sites import hdhomerun_site, iptv_site
from exstream.web.sockets import Sockets, admit_many, listen_twice

_Jobs = Mapping[str, Callable[[], Awaitable[object]]]

log = structlog.get_logger(__name__)


def serve(settings: Settings) -> int:
    """Run the server until it is told to stop; returns the exit code. Raises `ExstreamError` when it cannot start."""
    admit_many()
    sockets = listen_twice(settings.host, settings.iptv_port, settings.hdhr_port)
    try:
        with (
            occupied(settings.data_dir),
            write_logs(settings.data_dir, Redaction(settings.secrets), level=settings.log_level),
        ):
            runner = asyncio.Runner(loop_factory=_loop_factory())
            with runner:
                return runner.run(_serve(settings, sockets))
    finally:
        sockets.close()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's event loop where it is installed; it is not made for every system."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _serve(settings: Settings, sockets: Sockets) -> int:
    """Build the parts, run them, and take them apart again."""
    async with _station(settings, sockets) as station:
        servers = Servers(
            [Site(iptv_site(station.parts), sockets.iptv), Site(hdhomerun_site(station.parts), sockets.hdhr)],
            station.tuners,
            station.clock,
        )
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, servers.stop)
        background = asyncio.create_task(station.run())
        background.add_done_callback(lambda _: servers.stop())
        await servers.serve()
        log.info("stopped")
        if not background.done():
            background.cancel()
        return await outcome_of(background)


@dataclass(frozen=True, slots=True)
class _Library:
    """What knows the media."""

    demo: DemoLibrary | None
    watch: LibraryWatch
    catalogue: CatalogueHolder
    selections: Selections


class Station:
    """The running parts and their order of start."""

    def __init__(
        self,
        parts: Parts,
        lineup: Lineup,
        publisher: Publisher,
        tuners: Tuners,
        formats: Formats,
        cards: CardRack,
        library: _Library,
        keeping: _Jobs,
        clock: SystemClock,
        data_dir: Path,
    ) -> None:
        self.parts = parts
        self.tuners = tuners
        self.clock = clock
        self._lineup = lineup
        self._publisher = publisher
        self._cards = cards
        self._library = library
        self._keeping = keeping
        self._data_dir = data_dir
        self._formats = formats
        self._standby = Standby(lineup, tuners, formats)

    async def run(self) -> None:
        """Make everything ready, then keep it so until cancelled."""
        began = time.monotonic()
        lineup, publisher, library = self._lineup, self._publisher, self._library
        library.catalogue.listen(self._formats.heard)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._cards.fill(lineup.enabled()))
            if library.demo is not None:
                await library.demo.make_opening()
        await self._cards.fill(lineup.enabled())  # the opening may have changed what most items have
        await publisher.start()
        settle_memory()
        self._tell(time.monotonic() - began)
        await self._library.selections.look()
        lineup.listen(self._follow)
        library.catalogue.listen(self._follow)
        jobs = {
            **self._keeping,
            "publishing": publisher.run,
            "the channel files": lineup.watch,
            "the libraries": library.watch.run,
            "warm channels": self._standby.run,
            "the loop's lag": lambda: watch_loop(self.parts.metrics),
        }
        if library.demo is not None:
            jobs["the demo library"] = library.demo.run
            jobs["the demo's order"] = partial(follow_the_air, library.demo, lineup, publisher, self.clock)
        async with asyncio.TaskGroup() as group:
            for name, job in jobs.items():
                group.create_task(supervised(name, job, self.clock))

    def _tell(self, seconds: float) -> None:
        options = self.parts.options
        here = options.base_url or f"http://127.0.0.1:{options.iptv_port}"
        log.info(
            "on the air (Ctrl-C stops the server)",
            guide=f"{here}/",
            channels=len(self._lineup.enabled()),
            seconds=round(seconds, 1),
            playlist=f"{here}/iptv/channels.m3u",
            tuner=f"http://127.0.0.1:{options.hdhr_port}",
            data=str(self._data_dir),
        )
        if self._library.demo is not None and self._library.demo.waiting():
            log.info(
                "the rest of the demo library is being made meanwhile",
                clips=len(self._library.demo.waiting()),
            )

    async def _follow(self, _catalogue: Catalogue | None = None) -> None:
        """Follow the lineup and the library: what is on, and in which formats."""
        self._publisher.wake()
        await self._cards.fill(self._lineup.enabled())
        await self._standby.wake()


@dataclass(frozen=True, slots=True)
class _Ground:
    """What everything else stands on."""

    settings: Settings
    clock: SystemClock
    metrics: Metrics
    board: Board
    processes: Processes
    ffmpeg: str
    """The version of ffmpeg."""
    database: Database
    catalogue: CatalogueHolder


@asynccontextmanager
async def _station(settings: Settings, sockets: Sockets) -> AsyncIterator[Station]:
    """Build every part for as long as the block lasts."""
    async with AsyncExitStack() as stack:
        ground = await _ground(settings, stack)
        clock, catalogue = ground.clock, ground.catalogue
        device = load_device(settings.data_dir, settings.friendly_name)
        lineup = await _lineup(ground)
        library = await _library(ground, lineup)
        publisher = Publisher(
            ScheduleStore(ground.database),
            lineup,
            lambda: catalogue.current,
            clock,
            ground.metrics,
            horizon_days=settings.horizon_days,
        )
        formats = Formats(settings.profiles, lambda: catalogue.current)
        cards = CardRack(CardMaker(ground.processes, settings.data_dir / "cards", ground.ffmpeg), formats)
        asrun = AsRunWriter(
            AsRunStore(ground.database), clock, lambda: catalogue.current, kept_days=settings.asrun_days
        )
        quarantine = Quarantine(clock)
        gauge = ground.metrics.airing.bad_files
        bad_files = BadFiles(quarantine, BadFileStore(ground.database), clock, gauge.set)
        await bad_files.load()
        tuners = await _tuners(ground, stack, lineup, publisher, formats, cards, asrun, quarantine)

        def missing() -> list[str]:
            cards_of = [f"the cards of {name}" for name in cards.missing(lineup.enabled())]
            return cards_of + [f"the timeline of {channel}" for channel in publisher.unready()]

        parts = Parts(
            tuners,
            lineup,
            publisher,
            catalogue,
            ground.board,
            ground.metrics,
            clock,
            missing,
            device,
            formats,
            _web_options(settings, sockets),
            quarantine.files,
            Press(ground.processes),
        )
        keeping: _Jobs = {"the as-run log": asrun.run, "bad files": bad_files.run}
        yield Station(
            parts, lineup, publisher, tuners, formats, cards, library, keeping, clock, settings.data_dir
        )


async def _ground(settings: Settings, stack: AsyncExitStack) -> _Ground:
    clock, metrics = SystemClock(), Metrics()
    processes = await stack.enter_async_context(
        Processes(find_ffmpeg(str(settings.ffmpeg or "")), count=metrics.ffmpeg_processes.set)
    )
    version = await ffmpeg_version(processes)
    for warning in version_warnings(version):
        log.warning("ffmpeg", warning=warning)
    database = Database(
        settings.database_url, pool_size=settings.db_pool_size, max_overflow=settings.db_max_overflow
    )
    stack.push_async_callback(database.dispose)
    await database.open()
    metrics.gauge_pool(connections=database.connections, in_use=database.checked_out)
    catalogue = CatalogueHolder(CatalogueStore(database))
    await catalogue.reload()
    return _Ground(settings, clock, metrics, Board(clock.now_ms), processes, version, database, catalogue)


async def _lineup(ground: _Ground) -> Lineup:
    settings = ground.settings
    lineup = Lineup(
        settings.channels_dir,
        settings.profiles,
        shipped=data_path("channels") if settings.demo else None,
        memory=settings.last_good_file,
        clock=ground.clock,
        timezone=settings.timezone,
    )
    await lineup.load()
    return lineup


async def _library(ground: _Ground, lineup: Lineup) -> _Library:
    settings, board, clock = ground.settings, ground.board, ground.clock
    shelves, prober = CatalogueStore(ground.database), Prober(ground.processes)
    demo = None
    if settings.demo:
        folder = settings.data_dir / "demo"
        maker = ClipMaker(folder, ground.processes, prober, font_file())
        demo = DemoLibrary(folder, maker, shelves, ground.catalogue, board, clock)
        await demo.install()
    scanner = LibraryScanner(shelves, ground.catalogue, prober, board, clock, settings.journals_dir)
    selections = Selections(lineup, shelves.switched_on, lambda: ground.catalogue.current)
    return _Library(demo, LibraryWatch(scanner, shelves, clock), ground.catalogue, selections)


async def _tuners(
    ground: _Ground,
    stack: AsyncExitStack,
    lineup: Lineup,
    publisher: Publisher,
    formats: Formats,
    cards: CardRack,
    asrun: AsRunWriter,
    quarantine: Quarantine,
) -> Tuners:
    settings, figures = ground.settings, Figures(ground.metrics)

    def catalogue() -> Catalogue:
        return ground.catalogue.current

    resolver = Resolver(catalogue, quarantine.set_aside, ground.clock, ground.metrics.sources.looked)
    ground.catalogue.listen(resolver.follow)
    studio = Studio(
        publisher,
        resolver,
        LibrarySubstitutes(catalogue, lineup.by_id, quarantine.set_aside, resolver.copies),
        StaggeredFeeds(FfmpegFeeds(ground.processes, Prober(ground.processes).probe), ground.clock),
        quarantine,
        asrun,
        await stack.enter_async_context(Pump(ground.clock, ground.metrics.pump_tick.observe)),
        ground.clock,
        figures,
        Ladder(),
        settings.burst_seconds,
    )

    def find(channel: ChannelId) -> ChannelDefinition:
        found = lineup.by_id(channel)
        if found is None:
            raise UnknownChannel(f"there is no channel {channel}")
        return found

    async def player_of(channel: ChannelDefinition) -> Player:
        profile = formats.take(channel)
        return Player(channel, profile, await cards.of(profile), studio)

    tuners = Tuners(
        find,
        player_of,
        clock=ground.clock,
        audience=figures,
        tuner_count=settings.tuner_count,
        linger=settings.linger_seconds,
    )
    return await stack.enter_async_context(tuners)


def _web_options(settings: Settings, sockets: Sockets) -> WebOptions:
    return WebOptions(
        iptv_port=sockets.iptv.getsockname()[1],
        hdhr_port=sockets.hdhr.getsockname()[1],
        channels_dir=settings.channels_dir,
        base_url=settings.base_url,
        trusted_proxies=settings.trusted_proxies,
        metrics_token=settings.metrics_token,
        guide_days=settings.horizon_days,
        timezone=settings.timezone,
    )
