"""The API about where the catalogue comes from: libraries and media servers."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException

from exstream.errors import StoreError
from exstream.web import shapes
from exstream.web.deps import Parts


def add_sources(api: APIRouter, parts: Parts) -> None:
    """Add the addresses of libraries and servers."""

    @api.get("/libraries", tags=["sources"])
    async def libraries() -> list[shapes.Library]:
        """List the libraries: folders of this machine, then those of the servers."""
        try:
            return [shapes.Library.of(each) for each in await parts.sources.libraries()]
        except StoreError as fault:
            raise HTTPException(503, str(fault)) from fault

    @api.get("/servers", tags=["sources"])
    async def servers() -> list[shapes.MediaServer]:
        """List the media servers, and what is wrong with each."""
        try:
            return [shapes.MediaServer.of(each) for each in await parts.sources.servers()]
        except StoreError as fault:
            raise HTTPException(503, str(fault)) from fault
