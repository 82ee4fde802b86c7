"""``exstream serve``: the server in the foreground."""

from __future__ import annotations

from typing import Annotated

import typer

from exstream.cli.invocation import DataDir, invocation


def serve(
    context: typer.Context,
    data_dir: DataDir = None,
    host: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="The address to listen on; 0.0.0.0 is every network.", show_default=False
        ),
    ] = None,
    iptv_port: Annotated[
        str | None,
        typer.Option(
            metavar="PORT", help="The port of playlists, guide, streams, pages and API.", show_default=False
        ),
    ] = None,
    hdhr_port: Annotated[
        str | None,
        typer.Option(metavar="PORT", help="The port of the HDHomeRun tuner.", show_default=False),
    ] = None,
    demo: Annotated[
        bool | None,
        typer.Option(
            "--demo/--no-demo", help="Make the demo library and air the demo channels.", show_default=False
        ),
    ] = None,
    log_level: Annotated[
        str | None,
        typer.Option(metavar="LEVEL", help="debug, info, warning, error or critical.", show_default=False),
    ] = None,
) -> None:
    """Put the channels on air and serve them until Ctrl-C."""
    settings = invocation(context).settings(
        data_dir=data_dir,
        host=host,
        iptv_port=iptv_port,
        hdhr_port=hdhr_port,
        demo=demo,
        log_level=log_level,
    )
    from exstream.app import serve as put_on_air

    raise typer.Exit(put_on_air(settings))
