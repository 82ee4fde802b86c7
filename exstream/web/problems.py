"""Errors as the API tells them: a sentence in problem JSON, never a traceback."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from exstream.errors import ExstreamError
from exstream.web.shapes import Problem


def tell_problems(app: FastAPI, api_prefix: str) -> None:
    """Make ``app`` answer errors under ``api_prefix`` as problem JSON, and elsewhere as plain sentences."""

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 -- it is registered for no other
        detail = error.detail if error.detail != _phrase(error.status_code) else _sentence(error.status_code)
        return _answer(request, error.status_code, detail, dict(error.headers or {}))

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 -- it is registered for no other
        faults = "; ".join(f"{fault['loc'][-1]}: {fault['msg']}" for fault in error.errors())
        return _answer(request, 422, f"{faults}.", {})

    async def ours(request: Request, error: Exception) -> Response:
        return _answer(request, 503, str(error), {})

    def _answer(request: Request, status: int, detail: str, headers: dict[str, str]) -> Response:
        if not request.scope["path"].startswith(api_prefix):
            return PlainTextResponse(f"{detail}\n", status, headers)
        problem = Problem(title=_phrase(status), status=status, detail=detail)
        return JSONResponse(problem.model_dump(), status, headers, media_type="application/problem+json")

    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(ExstreamError, ours)


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase


def _sentence(status: int) -> str:
    return {
        404: "There is nothing at this address.",
        405: "This address does not take that method.",
    }.get(status, f"{_phrase(status)}.")
