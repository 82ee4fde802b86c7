"""The versions of an item, their files and the tracks in them, out of the tree of an answer. Pure."""

from __future__ import annotations

from exstream.plex.records import MediaRecord, PartRecord, StreamRecord
from exstream.plex.tree import LATEST, LONGEST, MOST, Tree, amount, number, text, trees, truth, whole

OPTIMIZED_PROXY = 42
"""The ``proxyType`` of a version that the server itself has made."""


def media(tree: Tree) -> tuple[MediaRecord, ...]:
    """Return the versions of an entry in the server's order. Several files of one follow each other."""
    return tuple(_version(each) for each in trees(tree, "Media"))


def _version(tree: Tree) -> MediaRecord:
    parts = tuple(_part(each) for each in trees(tree, "Part") if text(each, "key") or text(each, "file"))
    return MediaRecord(
        id=text(tree, "id"),
        parts=parts,
        duration=amount(tree, "duration", most=LONGEST) or sum(part.duration for part in parts),
        bitrate=amount(tree, "bitrate", most=MOST),
        width=amount(tree, "width", most=MOST),
        height=amount(tree, "height", most=MOST),
        container=text(tree, "container") or next((part.container for part in parts if part.container), ""),
        video_codec=text(tree, "videoCodec"),
        audio_codec=text(tree, "audioCodec"),
        audio_channels=amount(tree, "audioChannels", most=MOST),
        frame_rate=text(tree, "videoFrameRate"),
        optimized=whole(tree, "proxyType") == OPTIMIZED_PROXY or bool(text(tree, "target")),
        deleted=amount(tree, "deletedAt", most=LATEST) > 0,
    )


def _part(tree: Tree) -> PartRecord:
    return PartRecord(
        id=text(tree, "id"),
        key=text(tree, "key"),
        file=text(tree, "file"),
        size=amount(tree, "size"),
        duration=amount(tree, "duration", most=LONGEST),
        container=text(tree, "container"),
        exists=truth(tree, "exists", otherwise=True) and truth(tree, "accessible", otherwise=True),
        streams=tuple(_stream(each) for each in trees(tree, "Stream")),
    )


def _stream(tree: Tree) -> StreamRecord:
    index = whole(tree, "index")
    return StreamRecord(
        id=text(tree, "id"),
        kind=amount(tree, "streamType"),
        codec=text(tree, "codec", "format"),
        index=index if index is not None and index >= 0 else None,
        key=text(tree, "key"),
        language=text(tree, "languageCode"),
        title=text(tree, "title"),
        default=truth(tree, "default"),
        forced=truth(tree, "forced"),
        profile=text(tree, "profile"),
        width=amount(tree, "width", most=MOST),
        height=amount(tree, "height", most=MOST),
        frame_rate=max(0.0, number(tree, "frameRate") or 0.0),
        scan=text(tree, "scanType"),
        bit_depth=amount(tree, "bitDepth") or 8,
        colour_space=text(tree, "colorSpace"),
        colour_primaries=text(tree, "colorPrimaries"),
        colour_transfer=text(tree, "colorTrc"),
        colour_range=text(tree, "colorRange"),
        chroma=text(tree, "chromaSubsampling"),
        sample_aspect=text(tree, "pixelAspectRatio"),
        channels=amount(tree, "channels", "audioChannels"),
        sample_rate=amount(tree, "samplingRate", "sampleRate"),
    )
