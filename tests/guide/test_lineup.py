"""Channel lists, read back by readers of their own."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from exstream.guide.device import Device
from exstream.guide.lineup import (
    by_number,
    device_xml,
    discover,
    guide_id,
    lineup_json,
    lineup_m3u,
    lineup_status,
    lineup_xml,
    m3u,
)
from exstream.model.channel import ChannelDefinition

BASE = "http://192.168.1.5:8411"
TUNER = "http://192.168.1.5:5004"
DEVICE = Device(
    "10A12347", "c4429f23-5922-594f-9614-71b27f91d479", "abcdefghijklmnopqrstuvwx", 'Tom & Jo\'s "TV"'
)


def channel(
    number: str, name: str = "Seven", channel_id: str = "", group: str = "", logo: str = ""
) -> ChannelDefinition:
    identity = channel_id or f"c-{number.replace('.', '-')}"
    return ChannelDefinition(identity, number, name, "480p25", (), group=group, logo=logo)


@dataclass
class Entry:
    """One channel of an M3U as a player understands it."""

    attributes: dict[str, str]
    name: str
    url: str
    properties: list[str] = field(default_factory=list)


def read(text: str) -> tuple[dict[str, str], list[Entry]]:
    """Read an M3U as strictly as the strictest player: double quotes only, the name after the last comma."""
    header, *lines = text.split("\n")
    assert header.startswith("#EXTM3U")
    assert lines.pop() == ""
    entries: list[Entry] = []
    properties: list[str] = []
    info: re.Match[str] | None = None
    for line in lines:
        if line.startswith("#EXTINF:-1 "):
            info = re.fullmatch(r'#EXTINF:-1 ((?:[a-z-]+="[^"]+" ?)+),([^,]+)', line)
            assert info is not None, line
        elif line.startswith("#KODIPROP:"):
            properties.append(line.removeprefix("#KODIPROP:"))
        else:
            assert not line.startswith("#")
            assert info is not None
            entries.append(
                Entry(dict(re.findall(r'([a-z-]+)="([^"]+)"', info[1])), info[2], line, properties)
            )
            info, properties = None, []
    return dict(re.findall(r'([a-z-]+)="([^"]*)"', header)), entries


texts = st.text(max_size=30).filter(str.strip)
channels = st.lists(
    st.builds(
        channel,
        st.from_regex(r"[0-9]{1,5}(\.[0-9]{1,3})?", fullmatch=True),
        texts,
        st.from_regex(r"[a-z0-9]{1,8}(-[a-z0-9]{1,8}){0,2}", fullmatch=True),
        st.just("") | texts,
        st.sampled_from(["", "https://example.org/a.png?b=1&c=2", "seven.png"]),
    ),
    max_size=8,
)


@given(channels, st.sampled_from(["ts", "hls"]), st.booleans())
def test_players_read_back_what_was_written(made: list[ChannelDefinition], mode: str, kodi: bool) -> None:
    """For any names the list has one entry a channel, in order, with its number, id and address."""
    _, entries = read(m3u(made, BASE, mode, kodi=kodi))
    expected = by_number(made)
    suffix = {"ts": "ts", "hls": "m3u8"}[mode]
    assert [entry.url for entry in entries] == [f"{BASE}/iptv/channel/{one.id}.{suffix}" for one in expected]
    assert [entry.attributes["tvg-chno"] for entry in entries] == [one.number for one in expected]
    assert [entry.attributes["tvg-id"] for entry in entries] == [guide_id(one.id) for one in expected]
    assert all(len(entry.properties) == kodi for entry in entries)


def test_the_list_says_what_players_look_for() -> None:
    """Guide address twice, ids, number, name, logo, group, and Kodi's media type before the entry."""
    text = m3u([channel("102", "Robot Harbour", "robot-harbour", "Demo; More")], BASE)
    assert text == (
        f'#EXTM3U url-tvg="{BASE}/iptv/xmltv.xml" x-tvg-url="{BASE}/iptv/xmltv.xml"\n'
        "#KODIPROP:mimetype=video/mp2t\n"
        '#EXTINF:-1 tvg-id="robot-harbour.exstream" channel-id="robot-harbour.exstream" tvg-chno="102" '
        f'tvg-name="Robot Harbour" tvg-logo="{BASE}/iptv/logos/robot-harbour.png" group-title="Demo, More",'
        "Robot Harbour\n"
        f"{BASE}/iptv/channel/robot-harbour.ts\n"
    )


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Classic & Cinema, One", "Classic & Cinema - One"),
        ('The "Best"', "The 'Best'"),
        ("a\nb\tc", "a b c"),
        ("24 Hour Movies", "24\N{NO-BREAK SPACE}Hour Movies"),
        ("7.1 surround", "7.1\N{NO-BREAK SPACE}surround"),
        ("2001", "2001"),
        (",,", "-"),
    ],
)
def test_names_survive_every_reader(name: str, written: str) -> None:
    """Commas, quotes and leading numbers, at which readers cut names, are written otherwise."""
    assert read(m3u([channel("7", name)], BASE))[1][0].name == written


def test_a_logo_of_ones_own_is_linked_as_it_is() -> None:
    """An address goes out as written, a file is served by this server."""
    one, two = read(
        m3u([channel("1", logo="https://example.org/a.png"), channel("2", logo="two.png")], BASE)
    )[1]
    assert one.attributes["tvg-logo"] == "https://example.org/a.png"
    assert two.attributes["tvg-logo"] == f"{BASE}/iptv/logos/c-2.png"


def test_channels_are_sorted_by_number() -> None:
    """Sub-channels count as numbers: 7.2 comes before 7.10, and 10 after both."""
    made = [channel(number) for number in ("1984.1", "10", "7.10", "7", "7.2", "102")]
    order = ["7", "7.2", "7.10", "10", "102", "1984.1"]
    assert [one.number for one in by_number(made)] == order
    assert [entry["GuideNumber"] for entry in lineup_json(made, TUNER)] == order


@pytest.mark.parametrize(
    ("channel_id", "written"),
    [
        ("robot-harbour", "robot-harbour.exstream"),
        ("24-hours", "24-hours.exstream"),
        ("102", "c102.147.exstream"),
    ],
)
def test_guide_ids_are_dotted(channel_id: str, written: str) -> None:
    """Validators demand a dot; ids of digits alone, which Plex mixes up, get a sum."""
    assert guide_id(channel_id) == written
    assert re.fullmatch(r"[-a-zA-Z0-9]+(\.[-a-zA-Z0-9]+)+", written)


ids = st.from_regex(r"[a-z0-9]{1,6}(-[a-z0-9]{1,4}){0,2}", fullmatch=True)


@given(ids, ids)
def test_no_guide_id_is_the_beginning_of_another(one: str, other: str) -> None:
    """Two channels are two channels to readers that compare beginnings."""
    if one != other:
        assert not guide_id(one).startswith(guide_id(other))


def test_the_tuner_lists_its_channels() -> None:
    """Numbers are strings, addresses have no query, and the codecs are told."""
    assert lineup_json([channel("1984.1", "Parade")], TUNER) == [
        {
            "GuideNumber": "1984.1",
            "GuideName": "Parade",
            "HD": 1,
            "VideoCodec": "H264",
            "AudioCodec": "AAC",
            "URL": f"{TUNER}/auto/v1984.1",
        }
    ]


@given(channels)
def test_xml_and_m3u_of_the_tuner_say_the_same(made: list[ChannelDefinition]) -> None:
    """For any names the three lists have the same channels and addresses, and the XML is well formed."""
    programs = etree.fromstring(lineup_xml(made, TUNER).encode()).findall("Program")
    expected = [(str(entry["GuideNumber"]), str(entry["URL"])) for entry in lineup_json(made, TUNER)]
    assert [(one.findtext("GuideNumber"), one.findtext("URL")) for one in programs] == expected
    entries = read(lineup_m3u(made, TUNER))[1]
    assert [(entry.attributes["channel-number"], entry.url) for entry in entries] == expected


def test_the_device_says_who_it_is() -> None:
    """Every field that some client needs is there, with the names they look for."""
    assert discover(DEVICE, TUNER, 4) == {
        "FriendlyName": 'Tom & Jo\'s "TV"',
        "Manufacturer": "Exstream",
        "ModelNumber": "HDHR5-4US",
        "FirmwareName": "hdhomerun5_atsc",
        "FirmwareVersion": "20250815",
        "DeviceID": "10A12347",
        "DeviceAuth": "abcdefghijklmnopqrstuvwx",
        "TunerCount": 4,
        "BaseURL": TUNER,
        "LineupURL": f"{TUNER}/lineup.json",
    }
    assert lineup_status() == {
        "ScanInProgress": 0,
        "ScanPossible": 1,
        "Source": "Cable",
        "SourceList": ["Cable"],
    }


def test_no_client_takes_the_device_for_one_that_transcodes() -> None:
    """HDTC models get orders to transcode at every tune; ours must not look like one."""
    assert "HDTC" not in str(discover(DEVICE, TUNER, 4)).upper()


def test_the_upnp_description_is_one() -> None:
    """Name, number and UUID stand where UPnP readers look, escaped."""
    root = etree.fromstring(device_xml(DEVICE, TUNER).encode())
    space = "{urn:schemas-upnp-org:device-1-0}"

    def texts_of(names: Iterable[str]) -> list[str | None]:
        return [root.findtext(f"{space}device/{space}{name}") for name in names]

    assert root.tag == f"{space}root"
    assert root.findtext(f"{space}URLBase") == TUNER
    assert texts_of(["friendlyName", "serialNumber", "UDN"]) == [
        'Tom & Jo\'s "TV"',
        "10A12347",
        "uuid:c4429f23-5922-594f-9614-71b27f91d479",
    ]
