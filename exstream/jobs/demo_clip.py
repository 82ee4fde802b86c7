"""Makes one clip of the demo library: whole and verified, or not at all."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
from pathlib import Path

from exstream.errors import CatalogueError, FeedError, UnreadableMedia
from exstream.ffmpeg.process import Processes
from exstream.jobs.demo_manifest import Clip
from exstream.jobs.demo_recipe import Lettering, clip_arguments, lettering_of
from exstream.jobs.ports import Probing
from exstream.model.catalogue import Media

WORKSHOP = ".making"
"""The folder below the library's where clips are made; what a killed server left there is worthless."""
_LONGEST_SECONDS = 300
_NO_SPACE = "no space left on device"


class ClipNotMade(CatalogueError):
    """A clip could not be made; the text says why. Try again, but not for ever."""


class DiskRefuses(CatalogueError):
    """The disk takes no more, or the folder cannot be written; the text says what to do. Wait and try again."""


class ClipMaker:
    """Makes clips below ``folder`` with ffmpeg."""

    def __init__(self, folder: Path, processes: Processes, prober: Probing, font: Path) -> None:
        self._folder = folder
        self._processes = processes
        self._prober = prober
        self._font = font

    def path(self, clip: Clip) -> Path:
        """Return where ``clip`` is, or will be."""
        return self._folder / clip.path

    async def clear(self) -> None:
        """Remove what an earlier run left half-made."""
        await asyncio.to_thread(shutil.rmtree, self._folder / WORKSHOP, ignore_errors=True)

    async def make(self, clip: Clip, *, nice: int = 0) -> Media:
        """Make ``clip`` and return what is in it; raises ClipNotMade or DiskRefuses and leaves nothing half-made."""
        bench = self._folder / WORKSHOP / str(clip.code)
        try:
            lettering = await asyncio.to_thread(self._lay_out, clip, bench)
            made = bench / f"clip.{clip.format.suffix}"
            await self._encode(clip, clip_arguments(clip, lettering, made), nice)
            media = await self._verified(clip, made)
            await asyncio.to_thread(_put_in_place, made, self.path(clip))
            return media
        except OSError as fault:
            raise self._refused(fault) from fault
        finally:
            await asyncio.shield(asyncio.to_thread(shutil.rmtree, bench, ignore_errors=True))

    async def verified(self, clip: Clip) -> Media:
        """Return what is in the file of ``clip``; raises ClipNotMade when it is not the whole clip."""
        return await self._verified(clip, self.path(clip))

    def _lay_out(self, clip: Clip, bench: Path) -> Lettering:
        shutil.rmtree(bench, ignore_errors=True)
        bench.mkdir(parents=True)
        self.path(clip).parent.mkdir(parents=True, exist_ok=True)
        for name, text in lettering_of(clip).items():
            (bench / name).write_text(text, encoding="utf-8")
        return Lettering(self._font, bench / "heading", bench / "title", bench / "label")

    async def _encode(self, clip: Clip, argv: list[str], nice: int) -> None:
        try:
            run = await self._processes.run(argv, _LONGEST_SECONDS, name=f"demo {clip.title}", nice=nice)
        except TimeoutError as fault:
            raise ClipNotMade(f"“{clip.title}” was not made in {_LONGEST_SECONDS} s") from fault
        except FeedError as fault:
            raise ClipNotMade(f"“{clip.title}” was not made: {fault}") from fault
        if _NO_SPACE in run.stderr.lower():
            raise self._refused(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        if run.returncode:
            words = run.stderr.strip().splitlines() or [f"it ended with {run.returncode}"]
            raise ClipNotMade(f"“{clip.title}” was not made, ffmpeg says: {words[0]}")

    async def _verified(self, clip: Clip, path: Path) -> Media:
        try:
            media = await self._prober.probe(str(path))
        except UnreadableMedia as fault:
            raise ClipNotMade(f"“{clip.title}” was made but cannot be read: {fault}") from fault
        picture_ms = float(clip.format.rate.seconds) * 1000
        if media.video is None or abs(media.duration_ms - clip.duration_ms) > picture_ms:
            raise ClipNotMade(f"“{clip.title}” came out {media.duration_ms} ms long, not {clip.duration_ms}")
        return media

    def _refused(self, fault: OSError) -> DiskRefuses:
        if fault.errno in {errno.ENOSPC, errno.EDQUOT}:
            return DiskRefuses(
                f"the disk of {self._folder} is full: free 150 MB, and the demo library goes on by itself"
            )
        reason = fault.strerror or str(fault)
        return DiskRefuses(f"{self._folder} cannot be written ({reason}): make it writable for this user")


def _put_in_place(made: Path, target: Path) -> None:
    """Move a finished file to its name; after a power cut it is whole or absent."""
    with made.open("rb") as file:
        os.fsync(file.fileno())
    made.replace(target)
