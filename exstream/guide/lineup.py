"""Lists of channels: M3U for players, and what an HDHomeRun tuner answers.

Every list is sorted by number. ``base_url`` has no slash at its end. Addresses hold nothing that changes: clients
take them for the channel's identity.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import quote

from exstream.guide.device import Device
from exstream.guide.xml import escaped, plain
from exstream.model.catalogue import ItemKey
from exstream.model.channel import ChannelDefinition, ChannelId, number_order

_DOMAIN = "exstream"
_FORMS = {"ts": ("ts", "video/mp2t"), "hls": ("m3u8", "application/vnd.apple.mpegurl")}
MODES = frozenset(_FORMS)
"""The forms in which a playlist can list the channels."""
_LEADING_NUMBER = re.compile(r"^([0-9.]+) ")


def guide_id(channel: ChannelId) -> str:
    """Return the channel's id in XMLTV, the same for ever: dotted, as validators demand.

    Plex takes numbers such as "1.x" and "10.x" for one channel, so an id without a letter gets a sum between.
    """
    if any(character.isalpha() for character in channel):
        return f"{channel}.{_DOMAIN}"
    return f"c{channel}.{sum(map(ord, channel))}.{_DOMAIN}"


def by_number(channels: Iterable[ChannelDefinition]) -> list[ChannelDefinition]:
    """Return ``channels`` in the order of their numbers."""
    return sorted(channels, key=lambda channel: (*number_order(channel.number), channel.id))


def logo_url(channel: ChannelDefinition, base_url: str) -> str:
    """Return where the channel's logo is: where the definition says, or made by this server."""
    if channel.logo.startswith(("http://", "https://")):
        return channel.logo
    return f"{base_url}/iptv/logos/{quote(channel.id)}.png"


def artwork_url(item: ItemKey, base_url: str) -> str:
    """Return where this server gives the picture of an item."""
    return f"{base_url}/iptv/artwork/{quote(item, safe=':')}"


def m3u(channels: Iterable[ChannelDefinition], base_url: str, mode: str = "ts", *, kodi: bool = True) -> str:
    """Return the extended M3U; ``mode`` is "ts" or "hls".

    With ``kodi`` each channel tells its media type in Kodi's own way, which saves it five requests at every tune;
    others take the line for a comment.
    """
    suffix, mimetype = _FORMS[mode]
    guide = _value(f"{base_url}/iptv/xmltv.xml")
    lines = [f'#EXTM3U url-tvg="{guide}" x-tvg-url="{guide}"']
    for channel in by_number(channels):
        name = _name(channel.name)
        attributes = {
            "tvg-id": guide_id(channel.id),
            "channel-id": guide_id(channel.id),
            "tvg-chno": channel.number,
            "tvg-name": name,
            "tvg-logo": logo_url(channel, base_url),
            "group-title": channel.group.replace(";", ","),
        }
        if kodi:
            lines.append(f"#KODIPROP:mimetype={mimetype}")
        lines.append(_extinf(attributes, name))
        lines.append(f"{base_url}/iptv/channel/{quote(channel.id)}.{suffix}")
    return "\n".join(lines) + "\n"


def lineup_json(channels: Iterable[ChannelDefinition], base_url: str) -> list[dict[str, str | int]]:
    """Return ``/lineup.json``. HD is set because clients guess a tenth of the bit rate where it is not."""
    return [
        {
            "GuideNumber": channel.number,
            "GuideName": plain(channel.name),
            "HD": 1,
            "VideoCodec": "H264",
            "AudioCodec": "AAC",
            "URL": _tuner_url(channel, base_url),
        }
        for channel in by_number(channels)
    ]


def lineup_xml(channels: Iterable[ChannelDefinition], base_url: str) -> str:
    """Return ``/lineup.xml``."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<Lineup>"]
    for entry in lineup_json(channels, base_url):
        fields = "".join(f"<{name}>{escaped(str(value))}</{name}>" for name, value in entry.items())
        lines.append(f"<Program>{fields}</Program>")
    return "\n".join([*lines, "</Lineup>"]) + "\n"


def lineup_m3u(channels: Iterable[ChannelDefinition], base_url: str) -> str:
    """Return the tuner's ``/lineup.m3u``."""
    lines = ["#EXTM3U"]
    for channel in by_number(channels):
        name = _name(channel.name)
        attributes = {"channel-id": channel.number, "channel-number": channel.number, "tvg-name": name}
        lines += [_extinf(attributes, name), _tuner_url(channel, base_url)]
    return "\n".join(lines) + "\n"


def lineup_status() -> dict[str, int | str | Sequence[str]]:
    """Return ``/lineup_status.json``: no scan runs, the channels are known."""
    return {"ScanInProgress": 0, "ScanPossible": 1, "Source": "Cable", "SourceList": ["Cable"]}


def discover(device: Device, base_url: str, tuners: int) -> dict[str, str | int]:
    """Return ``/discover.json``."""
    return {
        "FriendlyName": device.friendly_name,
        "Manufacturer": "Exstream",
        "ModelNumber": device.model_number,
        "FirmwareName": device.firmware_name,
        "FirmwareVersion": device.firmware_version,
        "DeviceID": device.device_id,
        "DeviceAuth": device.auth,
        "TunerCount": tuners,
        "BaseURL": base_url,
        "LineupURL": f"{base_url}/lineup.json",
    }


def device_xml(device: Device, base_url: str) -> str:
    """Return the UPnP description, ``/device.xml``."""
    fields = {
        "deviceType": "urn:schemas-upnp-org:device:MediaServer:1",
        "friendlyName": device.friendly_name,
        "manufacturer": "Exstream",
        "modelName": device.model_number,
        "modelNumber": device.model_number,
        "serialNumber": device.device_id,
        "UDN": f"uuid:{device.udn}",
        "presentationURL": f"{base_url}/",
    }
    described = "\n".join(f"    <{name}>{escaped(value)}</{name}>" for name, value in fields.items())
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<root xmlns="urn:schemas-upnp-org:device-1-0">\n'
        "  <specVersion><major>1</major><minor>0</minor></specVersion>\n"
        f"  <URLBase>{escaped(base_url)}</URLBase>\n"
        f"  <device>\n{described}\n  </device>\n"
        "</root>\n"
    )


def _tuner_url(channel: ChannelDefinition, base_url: str) -> str:
    return f"{base_url}/auto/v{channel.number}"


def _extinf(attributes: dict[str, str], name: str) -> str:
    pairs = ((key, _value(value)) for key, value in attributes.items())
    return "#EXTINF:-1 " + " ".join(f'{key}="{value}"' for key, value in pairs if value) + f",{name}"


def _value(text: str) -> str:
    """Return ``text`` as an attribute's value; an empty one must be left out."""
    return plain(text).replace('"', "'")


def _name(text: str) -> str:
    """Return a name that every reader takes whole.

    Jellyfin cuts a name at its last comma and takes a number and a space at its beginning off: the comma becomes a
    dash, and the space one that does not break.
    """
    dashed = re.sub(r" *,[ ,]*", " - ", _value(text)).strip(" -")
    return _LEADING_NUMBER.sub("\\1\N{NO-BREAK SPACE}", dashed) or "-"
