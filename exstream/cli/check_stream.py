"""``exstream check-stream``: is a stream as broadcasters want it?"""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from exstream.cli.amounts import number_of
from exstream.cli.invocation import AsJson, DataDir, invocation, write_json
from exstream.cli.outcome import ExitCode, say

_LONGEST_SECONDS = 7 * 86_400


def check_stream(
    context: typer.Context,
    source: Annotated[
        str,
        typer.Argument(
            metavar="URL|FILE",
            help="The stream's address, a file, or - for standard input.",
            show_default=False,
        ),
    ],
    seconds: Annotated[
        float | None,
        typer.Option(
            metavar="N",
            parser=number_of("seconds", 0.5, _LONGEST_SECONDS),
            help="How many seconds of it; by default 30 of a live stream, all of a file.",
            show_default=False,
        ),
    ] = None,
    decode: Annotated[
        bool, typer.Option("--decode", help="Decode it too, and count what the decoder complains of.")
    ] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Check a transport stream against TR 101 290, its joins and its timelines; exit code 1 when it has faults."""
    from exstream.cli.reception import receive
    from exstream.cli.stream_verdict import shown, write_verdict

    ffmpeg = str(invocation(context).settings(data_dir=data_dir).ffmpeg or "") if decode else None
    received = asyncio.run(receive(source, seconds, ffmpeg))
    if as_json:
        write_json(shown(source, received))
    else:
        write_verdict(source, received)
    if received.ended:
        say(f"exstream: {received.ended}")
    raise typer.Exit(ExitCode.OK if received.clean else ExitCode.FAILURE)
