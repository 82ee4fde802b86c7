"""The composition root: every part is made here, given what it needs, and stopped in the right order."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import structlog

from exstream.clock import SystemClock
from exstream.config import Settings
from exstream.errors import UnknownChannel
from exstream.ffmpeg.capabilities import ffmpeg_version, find_ffmpeg, version_warnings
from exstream.ffmpeg.feed import FfmpegFeeds
from exstream.ffmpeg.font import font_file
from exstream.ffmpeg.probe import Prober
from exstream.ffmpeg.process import Processes
from exstream.jobs.artwork import Artwork
from exstream.jobs.asrun import AsRunWriter
from exstream.jobs.bad_files import BadFiles
from exstream.jobs.board import Board
from exstream.jobs.card_rack import CardRack
from exstream.jobs.cards import CardMaker
from exstream.jobs.catalogue import CatalogueHolder
from exstream.jobs.demo import DemoLibrary
from exstream.jobs.demo_clip import ClipMaker
from exstream.jobs.elsewhere import Elsewhere
from exstream.jobs.formats import Formats
from exstream.jobs.household import Household, PlexOptions
from exstream.jobs.inspection import Inspection
from exstream.jobs.library import LibraryScanner
from exstream.jobs.lineup import Lineup
from exstream.jobs.press import Press
from exstream.jobs.promptness import prompt
from exstream.jobs.publish import Publisher
from exstream.jobs.selections import Selections
from exstream.jobs.standby import Standby
from exstream.jobs.station import Jobs, Shelves, Station
from exstream.jobs.supervisor import outcome_of
from exstream.jobs.upcoming import Upcoming
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
from exstream.plex.items import Choice
from exstream.resources import data_path
from exstream.sources.gateway import Gateway
from exstream.sources.quarantine import Quarantine
from exstream.sources.remote_feeds import RemoteFeeds, RemoteProbe
from exstream.sources.resolver import Resolver
from exstream.sources.substitutes import LibrarySubstitutes
from exstream.store.asrun import AsRunStore
from exstream.store.bad_files import BadFileStore
from exstream.store.catalogue import CatalogueStore
from exstream.store.database import Database
from exstream.store.occupancy import occupied
from exstream.store.plex import PlexStore
from exstream.store.schedules import ScheduleStore
from exstream.store.turns import Turns
from exstream.store.vault import Vault
from exstream.telemetry import Metrics, Redaction, watch_loop, write_logs
from exstream.web.deps import Parts, WebOptions
from exstream.web.identity import load_device
from exstream.web.media import MediaSite
from exstream.web.servers import Servers, Site
from exstream.web.sites import hdhomerun_site, iptv_site
from exstream.web.sockets import Sockets, admit_many, listen_twice

log = structlog.get_logger(__name__)


def serve(settings: Settings) -> int:
    """Run the server until it is told to stop; returns the exit code. Raises `ExstreamError` when it cannot start."""
    admit_many()
    sockets = listen_twice(settings.host, settings.iptv_port, settings.hdhr_port)
    try:
        redaction = Redaction(settings.secrets)
        with (
            occupied(settings.data_dir),
            write_logs(settings.data_dir, redaction, level=settings.log_level),
            prompt(),
        ):
            runner = asyncio.Runner(loop_factory=_loop_factory())
            with runner:
                return runner.run(_serve(settings, sockets, redaction))
    finally:
        sockets.close()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's event loop where it is installed; it is not made for every system."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


@dataclass(frozen=True, slots=True)
class _Built:
    """What is run, and what is served."""

    station: Station
    parts: Parts
    tuners: Tuners
    gateway: Gateway
    clock: SystemClock


async def _serve(settings: Settings, sockets: Sockets, redaction: Redaction) -> int:
    """Build the parts, run them, and take them apart again."""
    async with _built(settings, sockets, redaction) as built:
        sites = [
            Site(iptv_site(built.parts), sockets.iptv),
            Site(hdhomerun_site(built.parts), sockets.hdhr),
            Site(MediaSite(built.gateway), sockets.media, waited_for=False),
        ]
        servers = Servers(sites, built.tuners, built.clock)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, servers.stop)
        background = asyncio.create_task(built.station.run())
        background.add_done_callback(lambda _: servers.stop())
        await servers.serve()
        log.info("stopped")
        if not background.done():
            background.cancel()
        return await outcome_of(background)


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
    plex: PlexStore
    catalogue: CatalogueHolder
    elsewhere: Elsewhere


@asynccontextmanager
async def _built(settings: Settings, sockets: Sockets, redaction: Redaction) -> AsyncIterator[_Built]:
    """Build every part for as long as the block lasts."""
    async with AsyncExitStack() as stack:
        ground = await _ground(settings, stack)
        clock, catalogue = ground.clock, ground.catalogue
        device = load_device(settings.data_dir, settings.friendly_name)
        lineup = await _lineup(ground)
        shelves = await _shelves(ground, lineup)
        publisher = Publisher(
            ScheduleStore(ground.database),
            lineup,
            lambda: catalogue.current,
            clock,
            ground.metrics,
            horizon_days=settings.horizon_days,
        )
        upcoming = Upcoming(lineup.enabled, publisher.rows, clock)
        household = _household(ground, redaction, upcoming)
        await household.open(stack)
        gateway = Gateway(household.switchboard.of, clock, sockets.media_url, ground.metrics.sources)
        catalogue.listen(gateway.follow)
        formats = Formats(settings.profiles, lambda: catalogue.current)
        cards = CardRack(CardMaker(ground.processes, settings.data_dir / "cards", ground.ffmpeg), formats)
        asrun = AsRunWriter(
            AsRunStore(ground.database), clock, lambda: catalogue.current, kept_days=settings.asrun_days
        )
        quarantine = Quarantine(clock)
        bad_files = await _bad_files(ground, quarantine)
        tuners = await _tuners(ground, stack, lineup, publisher, formats, cards, asrun, quarantine, gateway)

        parts = Parts(
            tuners,
            lineup,
            publisher,
            catalogue,
            ground.board,
            ground.metrics,
            clock,
            partial(_missing, lineup, cards, publisher),
            device,
            formats,
            _web_options(settings, sockets),
            quarantine.files,
            Press(ground.processes),
            household.seen,
            Artwork(lambda: catalogue.current, household.switchboard.of),
        )
        inspection = _inspection(ground, gateway, upcoming)
        keeping: Jobs = {
            **household.jobs(),
            "what commands change": ground.elsewhere.run,
            "files of servers": inspection.run,
            "the as-run log": asrun.run,
            "bad files": bad_files.run,
            "the loop's lag": lambda: watch_loop(ground.metrics),
        }
        standby = Standby(lineup, tuners, formats)
        told = partial(_tell, settings, sockets, lineup, shelves)
        station = Station(lineup, publisher, formats, cards, shelves, standby, keeping, clock, told)
        yield _Built(station, parts, tuners, gateway, clock)


def _missing(lineup: Lineup, cards: CardRack, publisher: Publisher) -> list[str]:
    cards_of = [f"the cards of {name}" for name in cards.missing(lineup.enabled())]
    return cards_of + [f"the timeline of {channel}" for channel in publisher.unready()]


async def _bad_files(ground: _Ground, quarantine: Quarantine) -> BadFiles:
    gauge = ground.metrics.airing.bad_files
    bad_files = BadFiles(quarantine, BadFileStore(ground.database), ground.clock, gauge.set)
    await bad_files.load()
    return bad_files


def _inspection(ground: _Ground, gateway: Gateway, upcoming: Upcoming) -> Inspection:
    probe = RemoteProbe(Prober(ground.processes).probe, gateway).probe
    return Inspection(ground.plex, ground.catalogue, probe, upcoming.soonest, ground.clock)


def _tell(settings: Settings, sockets: Sockets, lineup: Lineup, shelves: Shelves, seconds: float) -> None:
    """Say that the channels are on the air, and where."""
    here = settings.base_url or f"http://127.0.0.1:{sockets.iptv.getsockname()[1]}"
    log.info(
        "on the air (Ctrl-C stops the server)",
        guide=f"{here}/",
        channels=len(lineup.enabled()),
        seconds=round(seconds, 1),
        playlist=f"{here}/iptv/channels.m3u",
        tuner=f"http://127.0.0.1:{sockets.hdhr.getsockname()[1]}",
        data=str(settings.data_dir),
    )
    if shelves.demo is not None and shelves.demo.waiting():
        log.info("the rest of the demo library is being made meanwhile", clips=len(shelves.demo.waiting()))


def _household(ground: _Ground, redaction: Redaction, upcoming: Upcoming) -> Household:
    settings = ground.settings
    options = PlexOptions(
        settings.plex_url,
        settings.plex_token,
        settings.plex_section,
        Choice(settings.plex_versions),
        settings.plex_page_size,
        settings.plex_requests,
        settings.plex_pool,
    )
    return Household(
        ground.plex,
        CatalogueStore(ground.database),
        ground.catalogue,
        ground.board,
        ground.clock,
        ground.metrics.plex,
        options,
        settings.data_dir,
        redaction.learn,
        upcoming.soonest,
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
    elsewhere = Elsewhere(Turns(settings.data_dir, clock).marked, catalogue, clock)
    await catalogue.reload()
    board, plex = Board(clock.now_ms), PlexStore(database, Vault(settings.data_dir))
    return _Ground(settings, clock, metrics, board, processes, version, database, plex, catalogue, elsewhere)


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


async def _shelves(ground: _Ground, lineup: Lineup) -> Shelves:
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
    return Shelves(demo, LibraryWatch(scanner, shelves, clock), ground.catalogue, selections)


async def _tuners(
    ground: _Ground,
    stack: AsyncExitStack,
    lineup: Lineup,
    publisher: Publisher,
    formats: Formats,
    cards: CardRack,
    asrun: AsRunWriter,
    quarantine: Quarantine,
    gateway: Gateway,
) -> Tuners:
    settings, figures = ground.settings, Figures(ground.metrics)

    def catalogue() -> Catalogue:
        return ground.catalogue.current

    probe = Prober(ground.processes).probe
    resolver = Resolver(catalogue, quarantine.set_aside, ground.clock, ground.metrics.sources.looked)
    ground.catalogue.listen(resolver.follow)
    studio = Studio(
        publisher,
        resolver,
        LibrarySubstitutes(catalogue, lineup.by_id, quarantine.set_aside, resolver.copies),
        StaggeredFeeds(RemoteFeeds(FfmpegFeeds(ground.processes, probe), gateway, probe), ground.clock),
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
