"""Every channel of the demo is checked packet by packet for a minute while encoders are harmed at random."""

from __future__ import annotations

import random

import pytest

from load.endurance import endure
from tests.reliability.patience import eventually
from tests.reliability.server import Server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

SECONDS = 60.0


def test_every_channel_is_clean_while_encoders_are_killed(demo: Server) -> None:
    """`exstream check-stream` finds no fault on any channel, and a decoder nothing to complain of."""
    eventually(lambda: demo.figure("exstream_channels_on_air") == 0, "nobody watches")
    streams = {channel["id"]: demo.stream(channel["id"]) for channel in demo.json("channels")}
    endured = endure(streams, SECONDS, demo.encoders, random.Random(7))
    assert {name: endured.verdicts[name] for name in streams if name not in endured.clean} == {}
    assert len(streams) >= 7
    assert endured.harmed >= 10
    assert demo.figure("exstream_feed_failures_total") > 0
