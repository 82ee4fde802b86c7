"""The API about where the catalogue comes from: libraries, media servers, and the pictures that they have."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Response

from exstream.errors import NotThere, OutboundError, StoreError
from exstream.web import shapes
from exstream.web.deps import Parts


def add_sources(api: APIRouter, parts: Parts) -> None:
    """Add the addresses of libraries, servers and pictures."""

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

    @api.get("/items/{key}/artwork", tags=["sources"], include_in_schema=False)
    async def artwork(key: str) -> Response:
        """Give the picture of an item, fetched from its server."""
        try:
            picture = await parts.pictures.of(key)
        except NotThere as fault:
            raise HTTPException(404, "There is no picture of this item.") from fault
        except OutboundError as fault:
            raise HTTPException(502, f"The server does not give the picture: {fault}") from fault
        headers = {"Cache-Control": "private, max-age=86400", "X-Content-Type-Options": "nosniff"}
        return Response(picture.data, media_type=picture.kind, headers=headers)
