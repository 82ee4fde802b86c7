"""Which of a file's tracks go on air."""

from __future__ import annotations

from collections.abc import Sequence

from exstream.ffmpeg.allowed import readable_sound
from exstream.model.catalogue import AudioStream

_SAME_LANGUAGE = (
    "alb=sqi arm=hye baq=eus bur=mya chi=zho cze=ces dut=nld fre=fra geo=kat ger=deu gre=ell ice=isl "
    "mac=mkd mao=mri may=msa per=fas rum=ron slo=slk tib=bod wel=cym ar=ara cs=ces da=dan de=deu "
    "el=ell en=eng es=spa fi=fin fr=fra he=heb hi=hin hu=hun is=isl it=ita ja=jpn ko=kor nb=nob "
    "nl=nld no=nor pl=pol pt=por ro=ron ru=rus sk=slk sv=swe tr=tur uk=ukr zh=zho "
)
_TERMINOLOGICAL = dict(pair.split("=") for pair in _SAME_LANGUAGE.split())
"""Bibliographic and two-letter codes to the terminological ones."""


def language_code(tag: str) -> str:
    """Return the ISO 639-2/T code of a track's language tag: ``ger``, ``de`` and ``de-AT`` are all ``deu``."""
    primary = tag.strip().lower().replace("_", "-").partition("-")[0]
    return "" if primary == "und" else _TERMINOLOGICAL.get(primary, primary)


def pick_audio(tracks: Sequence[AudioStream], languages: Sequence[str]) -> AudioStream | None:
    """Return the track to put on air, or None when there is none that can be decoded.

    The languages count first, in their order; then the file's default; then the first. Commentary comes last.
    """
    wanted = [language_code(language) for language in languages]

    def rank(track: AudioStream) -> tuple[int, bool, bool, int]:
        code = language_code(track.language)
        place = wanted.index(code) if code in wanted else len(wanted)
        return place, "comment" in track.title.casefold(), not track.default, track.index

    return min((track for track in tracks if readable_sound(track.codec)), key=rank, default=None)
