"""Who may watch, and what is on air for it."""

from __future__ import annotations

import asyncio

import pytest

from exstream.errors import NoTunerFree, UnknownChannel
from tests import material
from tests.playout.studio import Rota, station

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def rota(tmp_path_factory: pytest.TempPathFactory) -> Rota:
    """One clip, over and over."""
    return Rota([str(material.clip(tmp_path_factory.mktemp("tuners")))], 8_000)


async def test_tuners_are_counted_and_given_back(rota: Rota) -> None:
    """With two tuners a third client is refused; a tuner is free the moment its client goes."""
    async with station(rota, tuner_count=2) as on:
        async with (
            on.tuners.tune("one", peer="a", agent="", counted=True) as first,
            on.tuners.tune("one", peer="b", agent="", counted=True) as second,
        ):
            assert {first.tuner, second.tuner} == {0, 1}
            with pytest.raises(NoTunerFree):
                async with on.tuners.tune("one", peer="c", agent="", counted=True):
                    pass
            async with on.tuners.tune("one", peer="c", agent="") as uncounted:
                assert uncounted.tuner is None
        async with on.tuners.tune("one", peer="c", agent="", counted=True, tuner=1) as third:
            assert third.tuner == 1

        assert on.tuners.tuners_in_use() == {}


async def test_a_client_that_tunes_again_goes_on_with_its_tuner(rota: Rota) -> None:
    """A player that opens the same channel twice in a burst takes one tuner, and frees it with its last connection."""
    async with station(rota, tuner_count=1) as on:
        async with on.tuners.tune("one", peer="a", agent="", counted=True):
            async with on.tuners.tune("one", peer="a", agent="", counted=True) as again:
                assert again.tuner == 0
            assert list(on.tuners.tuners_in_use()) == [0]

        assert on.tuners.tuners_in_use() == {}


async def test_who_attends_without_reading_keeps_the_channel_on_air(rota: Rota) -> None:
    """A viewer that is sent nothing through a stream of its own is listed, can be stopped, and holds the channel."""
    async with station(rota, linger=0.0) as on:
        async with on.tuners.attend("one", peer="a", agent="Safari", kind="hls") as (session, player):
            async with on.tuners.tune("one", peer="b", agent="VLC") as viewer:
                assert await anext(aiter(viewer))
            await asyncio.sleep(0.3)
            assert not player.fanout.closed
            assert [(seen.peer, seen.kind) for seen in on.tuners.sessions()] == [("a", "hls")]
            assert on.tuners.stop(session.id)
            assert session.stopped.is_set()
        async with asyncio.timeout(4):
            while on.tuners.on_air():
                await asyncio.sleep(0.05)

        assert on.tuners.sessions() == ()
        assert player.fanout.closed


async def test_an_unknown_channel_is_refused(rota: Rota) -> None:
    """A channel that is not there raises, and leaves no session behind."""
    async with station(rota) as on:
        with pytest.raises(UnknownChannel):
            async with on.tuners.tune("two", peer="a", agent=""):
                pass

        assert on.tuners.sessions() == ()


async def test_a_session_can_be_stopped(rota: Rota) -> None:
    """Stopping a session ends that viewer's stream and nobody else's."""
    async with (
        station(rota) as on,
        on.tuners.tune("one", peer="a", agent="") as stopped,
        on.tuners.tune("one", peer="b", agent="") as other,
    ):
        first = next(session for session in on.tuners.sessions() if session.peer == "a")
        assert on.tuners.stop(first.id)
        async with asyncio.timeout(5):
            pieces = [data async for data in stopped]
        assert await anext(aiter(other))

        assert len(pieces) <= 2
        assert not on.tuners.stop("nobody")


async def test_a_channel_lingers_then_goes_off_air(rota: Rota) -> None:
    """For the linger time the channel stays on air for whoever comes back; then its encoders are gone."""
    async with station(rota, linger=1.0) as on:
        await on.record(0.5)
        await asyncio.sleep(0.3)
        assert [channel.id for channel in on.tuners.on_air()] == ["one"]
        await on.record(0.3)
        async with asyncio.timeout(4):
            while on.tuners.on_air() or on.processes.running():
                await asyncio.sleep(0.05)

        assert len([tune for tune in on.notes.tunes if tune[1]]) == 1
        assert on.notes.channels == 0
