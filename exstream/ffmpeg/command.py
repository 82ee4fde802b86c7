"""Command lines as a pure function of what is ordered: the same order gives the same argv on every machine.

The rules that make items join without a seam:

1. pictures and audio frames lie on the channel's grid; an order owns whole ones;
2. missing picture and sound are filled inside the graph, and both are cut by count;
3. sound is counted, its source timestamps are not trusted;
4. the AAC encoder's priming packet is dropped;
5. the muxer keeps our clock (``-mpegts_copyts``) and starts well after zero;
6. PCR comes with every picture and ahead of what it times (``-muxdelay``, ``-pcr_period``);
7. every item is encoded with the same settings.
"""

from __future__ import annotations

import ffmpeg

from exstream.ffmpeg.allowed import HTTP, input_address, input_limits
from exstream.ffmpeg.encoding import audio_options, key_frame_expression, video_options
from exstream.ffmpeg.muxing import QUIET, TRANSPORT, dated
from exstream.ffmpeg.reels import in_reels, samples_of
from exstream.ffmpeg.seek import Seek, seconds
from exstream.ffmpeg.sound import SoundSpan, cut_sound, silent, sound_of
from exstream.ffmpeg.tracks import pick_audio
from exstream.model.catalogue import AudioStream, Source, VideoStream
from exstream.model.channel import Profile
from exstream.model.grid import AUDIO_RATE, Rate
from exstream.model.programme import Order

CARD_PICTURES = 80
CARD_GOP = 8
_FIELD_RATE = 40
"""From this many pictures per second on, both fields of an interlaced picture become pictures."""
_CAREFUL = {"threads": 1, "err_detect": "ignore_err", "fflags": "+discardcorrupt+genpts"}
"""Decoding that neither hardware nor the threads of a decoder can upset."""
_UNKNOWN_VIDEO = VideoStream(index=0, codec="", width=0, height=0)
_UNKNOWN_AUDIO = AudioStream(index=0, codec="", channels=2, sample_rate=AUDIO_RATE)


def programme(order: Order) -> tuple[str, ...]:
    """Return the arguments, after the executable, that encode ``order`` as MPEG-TS on standard output.

    Picture n has PTS ``FEED_ORIGIN_SECONDS`` + n pictures; there are ``len(order.span)`` of them, and the audio
    frames of `SoundSpan`. Raises ValueError when the source's location is neither an absolute path nor a loopback URL.
    """
    profile, span = order.profile, order.span
    picture, sound = _joined(in_reels(order))
    stream = ffmpeg.output(
        _cut_picture(picture, len(span)),
        cut_sound(sound, SoundSpan.of(profile, span)),
        "pipe:1",
        **{
            **video_options(profile),
            **dated(profile),
            "force_key_frames": key_frame_expression(profile.rate, span.first, inside=order.offset_ms > 0),
            **audio_options(profile),
            **TRANSPORT,
        },
    )
    return (*QUIET, *stream.get_args())


def card(profile: Profile) -> tuple[str, ...]:
    """Return the arguments that encode a PNG of the profile's size, on standard input, as a card on standard output.

    It is an H.264 byte stream of ``CARD_PICTURES`` with access unit delimiters, a key frame every ``CARD_GOP`` of them,
    no reordered picture, and the very parameter sets of the profile's programmes.
    """
    options = video_options(profile)
    options["x264-params"] = (
        f"{options['x264-params']}:b-adapt=1:b-bias=-100"  # B pictures allowed, none made
    )
    del options["b:v"]
    still = ffmpeg.input("pipe:0", format="png_pipe", framerate=str(profile.rate))
    stream = (
        still.filter("loop", loop=CARD_PICTURES - 1, size=1)
        .filter("setpts", "N/(FRAME_RATE*TB)")
        .filter("scale", profile.width, profile.height, out_color_matrix="bt709", out_range="tv")
        .filter("format", "yuv420p")
        .filter("setsar", 1)
    )
    output = {**options, "format": "h264", "crf": 22, "g": CARD_GOP, "keyint_min": CARD_GOP}
    return (*QUIET, *ffmpeg.output(_tagged(stream), "pipe:1", **output).get_args())


def silence(profile: Profile) -> tuple[str, ...]:
    """Return the arguments that write a second of silence as the profile's ADTS AAC on standard output."""
    stream = silent().filter("atrim", end_sample=AUDIO_RATE)
    return (*QUIET, *ffmpeg.output(stream, "pipe:1", format="adts", **audio_options(profile)).get_args())


def _joined(orders: tuple[Order, ...]) -> tuple[ffmpeg.Stream, ffmpeg.Stream]:
    """Return the picture and the sound of files that follow one another, each but the last cut to its length."""
    shown = [_shown(order) for order in orders]
    if len(shown) == 1:
        return shown[0]
    samples = samples_of(orders, orders[0].profile.rate)
    pictures = [
        _cut_picture(picture, len(order.span))
        for order, (picture, _) in zip(orders[:-1], shown[:-1], strict=True)
    ]
    sounds = [
        sound.filter("apad").filter("atrim", end_sample=count).filter("asetpts", "N")
        for count, (_, sound) in zip(samples[:-1], shown[:-1], strict=True)
    ]
    last_picture, last_sound = shown[-1]
    picture = ffmpeg.concat(*pictures, _tagged(last_picture), v=1, a=0)
    sound = ffmpeg.concat(*sounds, last_sound, v=0, a=1)
    # What is joined is timed in microseconds, which lie on no grid: it is counted anew.
    rate = orders[0].profile.rate
    return (
        picture.filter("settb", f"{rate.den}/{rate.num}").filter("setpts", "N"),
        sound.filter("asettb", f"1/{AUDIO_RATE}").filter("asetpts", "N"),
    )


def _shown(order: Order) -> tuple[ffmpeg.Stream, ffmpeg.Stream]:
    """Return the picture and the sound of one file in the format of the channel, to their own end."""
    profile = order.profile
    video, audio = _tracks(order.source, profile)
    seek = Seek.to(order.offset_ms, order.source.media, video)
    seen, heard = _sources(order, seek)
    picture = _picture(_from(seek, seen[f"v:{video.index}"]), video, profile) if video else _black(profile)
    sound = sound_of(_from(seek, heard[f"a:{audio.index}"], "a"), profile) if audio else silent()
    return picture, sound


def _tracks(source: Source, profile: Profile) -> tuple[VideoStream | None, AudioStream | None]:
    if source.media is None:
        return _UNKNOWN_VIDEO, _UNKNOWN_AUDIO
    return source.media.video, pick_audio(source.media.audio, profile.languages)


def _sources(order: Order, seek: Seek) -> tuple[ffmpeg.Stream, ffmpeg.Stream]:
    """Return where the picture and the sound come from.

    A file is opened once for each: where one track ends long before the other, or has a hole, that is known as soon
    as it is asked for, and is filled in time. From the gateway, which is slower, both come in one reading.
    """
    address, protocols = input_address(order.source.location)
    options: dict[str, object] = {
        "fflags": "+discardcorrupt",
        "reinit_filter": 0,  # a graph made anew in the middle would begin to count again
        **input_limits(protocols),
    }
    if order.careful:
        options |= _CAREFUL
    if seek.start:
        options["ss"] = seconds(seek.start)
    if protocols == "file":
        return ffmpeg.input(address, an=None, **options), ffmpeg.input(address, vn=None, **options)
    both = ffmpeg.input(address, **HTTP, **options)
    return both, both


def _from(seek: Seek, stream: ffmpeg.Stream, kind: str = "") -> ffmpeg.Stream:
    """Leave out the run-up."""
    if not seek.run_up:
        return stream
    shown = stream.filter(f"{kind}trim", start=seconds(seek.run_up))
    return shown.filter(f"{kind}setpts", f"PTS-{seconds(seek.run_up)}/TB")


def _picture(stream: ffmpeg.Stream, video: VideoStream, profile: Profile) -> ffmpeg.Stream:
    """Fit the source's picture into the profile's frame and rate, with black bars and square samples."""
    rate, width, height = profile.rate, profile.width, profile.height
    if video.interlaced:
        fields = rate.num >= _FIELD_RATE * rate.den
        stream = stream.filter("scale", w="iw", h="ih", interl=-1)  # bwdif cannot bear a size that changes
        stream = stream.filter("bwdif", mode="send_field" if fields else "send_frame", deint="interlaced")
    faster = video.rate is not None and video.rate.seconds < rate.seconds
    if faster:  # pictures that nobody will see need not be scaled
        stream = _at_rate(stream, rate)
    stream = stream.filter(
        "scale",
        w=f"max(2,min({width},2*round({height}*dar/2)))",
        h=f"max(2,min({height},2*round({width}/dar/2)))",
        flags="bilinear",
        in_color_matrix=_matrix(video),
        out_color_matrix="bt709",
        out_range="tv",
    ).filter("setsar", 1)
    if not faster:
        stream = _at_rate(stream, rate)
    return stream.filter("format", "yuv420p").filter("pad", width, height, -1, -1)


def _at_rate(stream: ffmpeg.Stream, rate: Rate) -> ffmpeg.Stream:
    """Show the nearest picture at each instant of ``rate``, the last one as long as it lasts."""
    return stream.filter("fps", str(rate), start_time=0, eof_action="pass")


def _matrix(video: VideoStream) -> str:
    """High definition in 8 bits is BT.709; its files often forget to say so."""
    deep = "10" in video.pixel_format or "12" in video.pixel_format
    return "bt709" if video.height >= 720 and not deep else "auto"


def _black(profile: Profile) -> ffmpeg.Stream:
    size = f"{profile.width}x{profile.height}"
    graph = f"color=c=black:s={size}:r={profile.rate}"
    return ffmpeg.input(graph, f="lavfi").filter("format", "yuv420p").filter("setsar", 1)


def _cut_picture(stream: ffmpeg.Stream, pictures: int) -> ffmpeg.Stream:
    """Go on in black when the source ends, and stop after exactly ``pictures``.

    The first two after the end are the last one again: an item that is rounded to the grid may need one more than it
    has, and another one where it is joined between two of its pictures.
    """
    stream = stream.filter("tpad", stop=2, stop_mode="clone")
    stream = stream.filter("tpad", stop=-1, stop_mode="add", color="black")
    return _tagged(stream.filter("trim", end_frame=pictures))


def _tagged(stream: ffmpeg.Stream) -> ffmpeg.Stream:
    """Say the same of every picture, whatever its source said, or the encoder's headers would differ."""
    tags = dict.fromkeys(("colorspace", "color_primaries", "color_trc"), "bt709")
    return stream.filter("setparams", field_mode="prog", range="tv", **tags)
