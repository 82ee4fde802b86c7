"""The words that stand around the entries: of the server, of its sections, and of what may be asked of them."""

from __future__ import annotations

from typing import Any

from load.plex_server.model import KINDS, LEVELS, NUMBERS, Fields, Section

LIBRARY: Fields = {
    "allowSync": True,
    "identifier": "com.plexapp.plugins.library",
    "mediaTagPrefix": "/system/bundle/media/flags/",
    "mediaTagVersion": 1734358180,
}
_GENERIC: dict[str, tuple[str, ...]] = {
    "string": ("title", "studio"),
    "integer": ("year", "duration", "viewCount", "userRating"),
    "date": ("originallyAvailableAt", "addedAt", "lastViewedAt"),
    "tag": ("genre", "collection", "director", "actor", "country", "contentRating", "label"),
    "boolean": ("unwatched", "unmatched", "duplicate", "trash"),
}
OPERATORS: dict[str, dict[str, str]] = {
    "string": {
        "=": "contains",
        "!=": "does not contain",
        "==": "is",
        "!==": "is not",
        "<=": "begins with",
        ">=": "ends with",
    },
    "integer": {"=": "is", "!=": "is not", ">>=": "is greater than", "<<=": "is less than"},
    "date": {"<<=": "is before", ">>=": "is after"},
    "tag": {"=": "is", "!=": "is not"},
    "boolean": {"=": "is true", "!=": "is false"},
}
_SORTS = (
    "titleSort",
    "year",
    "originallyAvailableAt",
    "rating",
    "audienceRating",
    "addedAt",
    "lastViewedAt",
    "viewCount",
)


def section_fields(section: Section, *, short: bool = False) -> Fields:
    """Return how a container names the section that its entries are of."""
    fields: Fields = {
        "librarySectionID": section.key,
        "librarySectionTitle": section.title,
        "librarySectionUUID": section.fields["uuid"],
    }
    if short:
        return fields
    top = LEVELS[section.kind][0]
    kind = {"movie": "Movies", "show": "Shows", "artist": "Artists", "photo": "Photos"}[section.kind]
    return fields | {
        "art": f"/:/resources/{section.kind}-fanart.jpg",
        "thumb": f"/:/resources/{section.kind}.png",
        "title1": section.title,
        "title2": f"All {kind}",
        "viewGroup": top,
    }


def directory(section: Section) -> Fields:
    """Return a section as the list of sections has it."""
    told = dict(section.fields)
    return {
        "allowSync": True,
        "art": f"/:/resources/{section.kind}-fanart.jpg",
        "composite": f"/library/sections/{section.key}/composite/{told.get('updatedAt', 0)}",
        "filters": True,
        "refreshing": section.refreshing,
        "thumb": f"/:/resources/{section.kind}.png",
        "key": str(section.key),
        "type": section.kind,
        "title": section.title,
        **told,
        "Location": [{"id": number, "path": path} for number, path in section.locations],
    }


def meta_of(section: Section, asked: str) -> Fields:
    """Return what may be filtered and sorted by, as ``includeMeta=1`` adds it."""
    active = KINDS.get(int(asked)) if asked.isdecimal() else LEVELS[section.kind][0]
    kinds = (*LEVELS[section.kind], "collection")
    types = [_type(section, kind, active=kind == active) for kind in kinds]
    fields: list[dict[str, Any]] = [
        {"type": name, "Operator": [{"key": key, "title": title} for key, title in operators.items()]}
        for name, operators in OPERATORS.items()
    ]
    return {"Type": types, "FieldType": fields}


def _type(section: Section, kind: str, *, active: bool) -> Fields:
    address = f"/library/sections/{section.key}"
    level = "" if kind == LEVELS[section.kind][0] else f"{kind}."
    return {
        "key": f"{address}/all?type={NUMBERS[kind]}",
        "type": kind,
        "title": f"{kind.title()}s",
        "active": active,
        "Filter": [
            {
                "filter": name,
                "filterType": "string" if sort == "tag" else "boolean",
                "key": f"{address}/{name}",
                "title": name.title(),
                "type": "filter",
            }
            for sort in ("tag", "boolean")
            for name in _GENERIC[sort]
        ],
        "Sort": [
            {
                "defaultDirection": "asc",
                "descKey": f"{level}{name}:desc",
                "key": f"{level}{name}",
                "title": name,
            }
            for name in _SORTS
        ],
        "Field": [
            {"key": f"{level}{name}", "title": name, "type": sort}
            for sort, names in _GENERIC.items()
            for name in names
        ],
    }


def server_fields(machine: str, name: str, version: str, updated: int) -> Fields:
    """Return what ``/`` says of the server."""
    return {
        "allowCameraUpload": False,
        "allowChannelAccess": True,
        "allowSharing": True,
        "allowSync": True,
        "backgroundProcessing": True,
        "certificate": True,
        "companionProxy": True,
        "countryCode": "usa",
        "diagnostics": "logs,databases,streaminglogs",
        "eventStream": True,
        "friendlyName": name,
        "livetv": 7,
        "machineIdentifier": machine,
        "myPlex": True,
        "myPlexMappingState": "mapped",
        "myPlexSigninState": "ok",
        "myPlexSubscription": True,
        "myPlexUsername": "owner@example.com",
        "offlineTranscode": 1,
        "platform": "Linux",
        "platformVersion": "6.1",
        "pluginHost": True,
        "pushNotifications": False,
        "readOnlyLibraries": False,
        "streamingBrainABRVersion": 3,
        "streamingBrainVersion": 2,
        "sync": True,
        "transcoderActiveVideoSessions": 0,
        "transcoderAudio": True,
        "transcoderLyrics": True,
        "transcoderPhoto": True,
        "transcoderSubtitles": True,
        "transcoderVideo": True,
        "transcoderVideoBitrates": "64,96,208,320,720,1500,2000,3000,4000,8000,10000,12000,20000",
        "transcoderVideoQualities": "0,1,2,3,4,5,6,7,8,9,10,11,12",
        "transcoderVideoResolutions": "128,128,160,240,320,480,768,720,720,1080,1080,1080,1080",
        "updatedAt": updated,
        "updater": True,
        "version": version,
        "voiceSearch": True,
    }
