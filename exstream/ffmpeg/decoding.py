"""A decoder as a judge: ffmpeg decodes a stream, shows it to nobody, and says what it did not like."""

from __future__ import annotations

import asyncio
import contextlib
import os

from exstream.ffmpeg.process import Process, Processes

PATIENCE_SECONDS = 60.0
"""How long what is left may take to decode, once all of it is there."""
LINES = 1_000
_ARGUMENTS = (
    *("-hide_banner", "-nostdin", "-v", "warning", "-f", "mpegts", "-i", "pipe:0"),
    *("-map", "0:v?", "-map", "0:a?", "-fps_mode", "passthrough", "-f", "null", "-"),
)


class Decoder:
    """A running decoder: `write` the stream into it, then `finish`; `stop` in any case."""

    def __init__(self, process: Process, pipe: int) -> None:
        self._process = process
        self._pipe = pipe
        self._loop = asyncio.get_running_loop()

    async def write(self, data: bytes) -> None:
        """Hand bytes over, waiting as long as the decoder has enough; one that has ended takes them all."""
        rest = memoryview(data)
        while rest and self._pipe >= 0:
            try:
                rest = rest[os.write(self._pipe, rest) :]
            except BlockingIOError:
                await self._writable()
            except BrokenPipeError:
                self._close()

    async def finish(self) -> list[str]:
        """Let it decode what it has; return its complaints, a line each. Raises TimeoutError where it hangs."""
        self._close()
        async with asyncio.timeout(PATIENCE_SECONDS):
            returncode = await self._process.wait()
        words = [line for line in self._process.stderr(LINES).splitlines() if line.strip()]
        return words if returncode == 0 else [*words, f"the decoder ended with exit status {returncode}"]

    async def stop(self) -> None:
        """End it; it is gone when this returns."""
        self._close()
        await self._process.stop()

    async def _writable(self) -> None:
        ready: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_writer(self._pipe, _tell, ready)
        try:
            await ready
        finally:
            self._loop.remove_writer(self._pipe)

    def _close(self) -> None:
        pipe, self._pipe = self._pipe, -1
        if pipe >= 0:
            os.close(pipe)


def _tell(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


async def decoder(processes: Processes) -> Decoder:
    """Start a decoder; raises `FeedError` when the system refuses."""
    theirs, ours = os.pipe()
    with contextlib.ExitStack() as on_failure:
        on_failure.callback(os.close, ours)
        os.set_blocking(ours, False)
        try:
            process = await processes.start(_ARGUMENTS, name="decoder", stdin=theirs)
        finally:
            os.close(theirs)
        on_failure.pop_all()
    return Decoder(process, ours)
