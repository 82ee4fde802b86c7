"""Cards are encoded once per profile and kept as bytes: what is shown when nothing else can be costs no process."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from functools import partial
from hashlib import blake2b
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

import structlog

from exstream.errors import ConfigurationError, FeedError
from exstream.ffmpeg.command import card, silence
from exstream.ffmpeg.font import font_file
from exstream.ffmpeg.process import Processes
from exstream.jobs.slate import DESIGN, Words, draw
from exstream.model.channel import Profile
from exstream.model.grid import KEY_FRAME_SECONDS

log = structlog.get_logger(__name__)

STARTING = "starting"
OFF_AIR = "off-air"
TROUBLE = "trouble"
BLACK = "black"
WORDS: Mapping[str, Words] = MappingProxyType(
    {
        STARTING: Words("One moment", "The programme is about to begin."),
        OFF_AIR: Words("Off air", "Nothing is scheduled now. The guide says what is next."),
        TROUBLE: Words("Please stand by", "This programme cannot be shown at the moment."),
        BLACK: Words("", ""),
    }
)
_SILENCE = "silence.aac"
_ENCODING_SECONDS = 60.0
_ADTS_SYNC = 0xFFF
_KEY_BYTES = 8


@dataclass(frozen=True, slots=True)
class CardSet:
    """A profile's cards as H.264 byte streams by name (`STARTING`, ...), and one ADTS frame."""

    pictures: Mapping[str, bytes]
    silence: bytes


class CardMaker:
    """Makes cards and finds them again. ``version`` is ffmpeg's: another encoder makes its own cards."""

    def __init__(
        self, processes: Processes, directory: Path, version: str, words: Mapping[str, Words] = WORDS
    ) -> None:
        self._processes = processes
        self._directory = directory
        self._version = version
        self._words = words

    def folder(self, profile: Profile) -> Path:
        """Return where the profile's cards are kept: a name that changes with everything that shapes them."""
        shape = replace(profile, gop_seconds=KEY_FRAME_SECONDS)
        recipe = (astuple(shape), DESIGN, self._version, card(profile), silence(profile), dict(self._words))
        key = blake2b(repr(recipe).encode(), digest_size=_KEY_BYTES).hexdigest()
        return self._directory / f"{quote(profile.name, safe='')}-{key}"

    async def cards(self, profile: Profile) -> CardSet:
        """Return the profile's cards, encoding them if need be; raises `ConfigurationError` when ffmpeg cannot."""
        folder = self.folder(profile)
        kept = await asyncio.to_thread(self._read, folder)
        if kept is None:
            files = await self._encode(profile)
            try:
                await asyncio.to_thread(self._keep, folder, files)
            except OSError as fault:
                log.warning(
                    "the cards are made anew at the next start", profile=profile.name, reason=str(fault)
                )
            kept = self._cards(files)
        return kept

    async def _encode(self, profile: Profile) -> dict[str, bytes]:
        size = (profile.width, profile.height)
        files = {_SILENCE: await self._run(silence(profile), b"", profile)}
        for name, words in self._words.items():
            png = await asyncio.to_thread(partial(draw, words, size, font_file()))
            files[f"{name}.h264"] = await self._run(card(profile), png, profile)
        return files

    async def _run(self, argv: Sequence[str], stdin: bytes, profile: Profile) -> bytes:
        complaint = f"the cards of profile {profile.name!r} cannot be encoded"
        try:
            run = await self._processes.run(argv, _ENCODING_SECONDS, name="card", stdin=stdin)
        except TimeoutError as fault:
            raise ConfigurationError(f"{complaint}: ffmpeg took over {_ENCODING_SECONDS:.0f} s") from fault
        except FeedError as fault:
            raise ConfigurationError(f"{complaint}: {fault}") from fault
        if run.returncode or not run.stdout:
            raise ConfigurationError(f"{complaint}: set EXSTREAM_FFMPEG to another ffmpeg: {run.stderr}")
        return run.stdout

    def _read(self, folder: Path) -> CardSet | None:
        try:
            names = [_SILENCE, *(f"{name}.h264" for name in self._words)]
            files = {name: (folder / name).read_bytes() for name in names}
        except OSError:
            return None
        return self._cards(files) if all(files.values()) else None

    def _cards(self, files: Mapping[str, bytes]) -> CardSet:
        pictures = {name: files[f"{name}.h264"] for name in self._words}
        return CardSet(MappingProxyType(pictures), last_frame(files[_SILENCE]))

    def _keep(self, folder: Path, files: Mapping[str, bytes]) -> None:
        """Put the files in place all at once, and drop what the profile's earlier settings made."""
        self._directory.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=".making-", dir=self._directory))
        try:
            for name, content in files.items():
                (fresh / name).write_bytes(content)
            shutil.rmtree(folder, ignore_errors=True)
            fresh.rename(folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        profile = folder.name.rpartition("-")[0]
        for other in self._directory.iterdir():
            if other != folder and other.name.rpartition("-")[0] == profile:
                shutil.rmtree(other, ignore_errors=True)


def last_frame(adts: bytes) -> bytes:
    """Return the last ADTS frame of ``adts``: by then the encoder has settled."""
    frame, at = b"", 0
    while at + 7 <= len(adts):
        if int.from_bytes(adts[at : at + 2], "big") >> 4 != _ADTS_SYNC:
            raise ConfigurationError(
                "ffmpeg's AAC encoder wrote no ADTS: set EXSTREAM_FFMPEG to another ffmpeg"
            )
        length = int.from_bytes(adts[at + 3 : at + 6], "big") >> 5 & 0x1FFF
        frame, at = adts[at : at + length], at + max(length, 7)
    return frame
