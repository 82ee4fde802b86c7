"""What ffmpeg may open: whitelists of what people own, so that a hostile file cannot reach a rare decoder.

Names are FFmpeg's. Decoders are listed by the name of the codec and by the name of its usual implementation, because
``-codec_whitelist`` compares the latter.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

VIDEO_CODECS = (
    *("h264", "hevc", "vvc", "av1", "libdav1d", "libaom-av1", "vp8", "vp9", "libvpx", "libvpx-vp9"),
    *("mpeg1video", "mpeg2video", "mpegvideo", "mpeg4", "msmpeg4v1", "msmpeg4v2", "msmpeg4", "msmpeg4v3"),
    *("h263", "flv1", "flv", "vc1", "wmv1", "wmv2", "wmv3", "theora", "dvvideo", "mjpeg"),
    *("prores", "dnxhd", "ffv1", "huffyuv", "rawvideo", "rv30", "rv40", "cinepak", "svq3"),
)
AUDIO_CODECS = (
    *("aac", "aac_latm", "ac3", "eac3", "dts", "dca", "truehd", "mlp"),
    *("mp1", "mp1float", "mp2", "mp2float", "mp3", "mp3float", "flac", "alac", "vorbis", "opus", "libopus"),
    *("wmav1", "wmav2", "wmapro", "wmalossless", "cook", "amrnb", "amrwb", "amr_nb", "amr_wb", "ape"),
    *("wavpack", "tta", "adpcm_ms", "adpcm_ima_wav", "adpcm_ima_qt", "adpcm_swf", "gsm_ms"),
    *("pcm_alaw", "pcm_mulaw", "pcm_u8", "pcm_s8", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be"),
    *("pcm_s32le", "pcm_s32be", "pcm_f32le", "pcm_f32be", "pcm_f64le", "pcm_f64be"),
    *("pcm_bluray", "pcm_dvd"),
)
SUBTITLE_CODECS = (
    *("subrip", "srt", "ass", "ssa", "mov_text", "webvtt", "text"),
    *("dvdsub", "dvd_subtitle", "pgssub", "hdmv_pgs_subtitle", "dvbsub", "dvb_subtitle"),
)
FORMATS = (
    *("mov", "mp4", "m4a", "3gp", "3g2", "mj2", "matroska", "webm", "mpegts", "mpeg", "mpegvideo", "avi"),
    *("asf", "flv", "ogg", "rm", "wtv", "mxf", "nut", "dv", "ivf", "h264", "hevc", "m4v", "obu", "pva"),
    *("wav", "w64", "aiff", "au", "caf", "mp3", "aac", "ac3", "eac3", "dts", "dtshd", "truehd", "flac"),
    *("ape", "tta", "wv", "amr"),
)
HTTP: Mapping[str, int] = MappingProxyType({"seekable": 1, "multiple_requests": 1})
"""How the gateway is read: from any place, over a connection that stays open."""
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def readable_sound(codec: str) -> bool:
    """Tell whether a sound track of ``codec`` can be put on air; an unnamed codec is worth a try."""
    return not codec or codec in AUDIO_CODECS


def input_address(location: str) -> tuple[str, str]:
    """Return the address of ``location`` as ffmpeg reads it, and the protocols it needs.

    ``location`` is an absolute path or an ``http`` URL on this machine; raises ValueError for anything else.
    """
    if location.startswith("/"):
        return f"file:{location}", "file"
    url = urlsplit(location)
    if url.scheme == "http" and url.hostname in _LOOPBACK:
        return location, "http,tcp"
    raise ValueError(f"a source is an absolute path or a loopback URL, not {location!r}")


def input_limits(protocols: str) -> dict[str, str]:
    """Return the options that keep an input to what is listed here."""
    return {
        "protocol_whitelist": protocols,
        "format_whitelist": ",".join(FORMATS),
        "codec_whitelist": ",".join((*VIDEO_CODECS, *AUDIO_CODECS, *SUBTITLE_CODECS)),
    }
