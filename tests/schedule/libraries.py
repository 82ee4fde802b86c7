"""Libraries and definitions of every shape, for hypothesis."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import strategies as st

from exstream.model.catalogue import Catalogue, Item, ItemKind
from exstream.model.channel import ChannelDefinition, Order, Pool, Query

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "Pacific/Apia",
    "Africa/Casablanca",
    "America/Santiago",
)


def episode(number: int, show: str = "Robot Harbour", season: int = 1, minutes: float = 22) -> Item:
    """Return one episode; its key tells its numbers."""
    return Item(
        key=f"local:{show}-{season}-{number}",
        kind=ItemKind.EPISODE,
        title=f"Part {number}",
        duration_ms=int(minutes * 60_000),
        library="Demo",
        show=show,
        season=season,
        episode=number,
    )


def filler(seconds: float, name: str = "") -> Item:
    """Return one filler item of the given length."""
    return Item(f"local:f{name}{seconds}", ItemKind.FILLER, f"Ident {name}", round(seconds * 1_000), "Idents")


def channel(
    *pools: Pool, align: int = 0, fillers: bool = False, timezone: str = "UTC", seed: str = ""
) -> ChannelDefinition:
    """Return a definition with the given pools (default: all episodes in order)."""
    return ChannelDefinition(
        id="harbour",
        number="7",
        name="Harbour",
        profile="480p25",
        pools=pools or (EPISODES,),
        filler=Pool("filler", Query(kinds=("filler",)), Order.SHUFFLE) if fillers else None,
        align_minutes=align,
        timezone=timezone,
        seed=seed,
    )


EPISODES = Pool("episodes", Query(kinds=("episode",)))
FILMS = Pool("films", Query(kinds=("film",)), Order.SHUFFLE)

durations = st.one_of(
    st.integers(min_value=-1, max_value=5_000),
    st.integers(min_value=5_000, max_value=3 * 3_600_000),
    st.sampled_from([600_000, 1_320_000, 1_800_000, 3_600_000, 40 * 3_600_000]),
)
numbers = st.one_of(st.none(), st.integers(min_value=0, max_value=30))
names = st.sampled_from(["Robot Harbour", "robot harbour 2", "Robot Harbour 10", "Ärger", ""])


@st.composite
def items(draw: st.DrawFn, key: str) -> Item:
    """Draw an item of any kind and length; few of them are missing or endless, or too short."""
    return Item(
        key=key,
        kind=draw(st.sampled_from(ItemKind)),
        title=draw(st.sampled_from(["Pilot", "Part 2", "Part 10", "Ende"])),
        duration_ms=draw(durations),
        library=draw(st.sampled_from(["Demo", "Films"])),
        show=draw(names),
        season=draw(numbers),
        episode=draw(numbers),
        year=draw(st.one_of(st.none(), st.integers(1950, 2026))),
        genres=draw(st.sampled_from([(), ("Comedy",), ("comedy", "Drama")])),
        missing=draw(st.integers(0, 9)) == 0,
    )


@st.composite
def libraries(draw: st.DrawFn, max_size: int = 12) -> tuple[Item, ...]:
    """Draw a library; it may be empty."""
    keys = draw(st.lists(st.integers(0, 10_000), unique=True, max_size=max_size))
    return tuple(draw(items(f"local:{key}")) for key in keys)


def playable(library: Sequence[Item], *, shortest_ms: int = 1_000) -> tuple[Item, ...]:
    """Return the library as items that can all be aired."""
    return tuple(
        replace(item, missing=False, duration_ms=max(item.duration_ms, shortest_ms)) for item in library
    )


queries = st.builds(
    Query,
    kinds=st.sampled_from([(), ("episode",), ("film", "other"), ("filler",)]),
    shows=st.sampled_from([(), ("ROBOT harbour",)]),
    genres=st.sampled_from([(), ("COMEDY",)]),
    years=st.sampled_from([None, (1980, 1989)]),
)


@st.composite
def definitions(draw: st.DrawFn) -> ChannelDefinition:
    """Draw a channel with one to three pools, with and without a grid and filler."""
    pools = tuple(
        Pool(f"pool {number}", draw(queries), draw(st.sampled_from(Order)), draw(st.integers(1, 3)))
        for number in range(draw(st.integers(1, 3)))
    )
    return ChannelDefinition(
        id="any",
        number="7",
        name="Any",
        profile="480p25",
        pools=pools,
        filler=draw(st.sampled_from([None, Pool("filler", Query(kinds=("filler",)), Order.SHUFFLE)])),
        align_minutes=draw(st.sampled_from([0, 0, 5, 15, 30, 60, 90, 240])),
        timezone=draw(st.sampled_from(ZONES)),
        seed=draw(st.sampled_from(["", "winter"])),
    )


def catalogue(library: Sequence[Item]) -> Catalogue:
    """Return a snapshot of ``library``."""
    return Catalogue.of(library)
