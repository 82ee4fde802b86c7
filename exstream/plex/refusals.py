"""What the status of a Plex server's answer means. Pure."""

from __future__ import annotations

from http import HTTPStatus

from exstream.errors import (
    Busy,
    Misunderstood,
    NotAllowed,
    NotThere,
    OutboundError,
    SignInNeeded,
    TooMuch,
    Unreachable,
)
from exstream.plex.answers import said

_SIGN_IN = "does not accept the token it was given: sign in again with `exstream plex login`"
_GONE = "has nothing there, or not any more"
_MEANINGS: dict[int, tuple[type[OutboundError], str]] = {
    401: (SignInNeeded, _SIGN_IN),
    403: (NotAllowed, "does not let this user do that"),
    404: (NotThere, _GONE),
    408: (TooMuch, "says that it took too long"),
    410: (NotThere, _GONE),
    429: (Busy, "is asked too often"),
    498: (SignInNeeded, _SIGN_IN),
    500: (TooMuch, "stumbles over this question"),
    502: (Unreachable, "is behind a proxy that does not reach it"),
    503: (Busy, "cannot now"),
    504: (TooMuch, "is behind a proxy that did not want to wait for it any longer"),
    509: (Busy, "has no bandwidth left"),
}
_TROUBLE: tuple[type[OutboundError], str] = (Unreachable, "has trouble of its own")
_UNEXPECTED: tuple[type[OutboundError], str] = (Misunderstood, "answers what is not expected here")
_PHRASES = {f"{status.value} {status.phrase}".lower() for status in HTTPStatus} | {
    status.phrase.lower() for status in HTTPStatus
}
"""What every server says: no words of its own."""


def refusal(server: str, status: int, body: bytes, wait: float | None) -> OutboundError | None:
    """Return what an answer of ``server`` with ``status`` says that gives nothing; None for a good one.

    ``wait`` is its own word on when to ask again, in seconds.
    """
    if 200 <= status < 300:
        return None
    kind, meaning = _MEANINGS.get(status, _TROUBLE if status >= 500 else _UNEXPECTED)
    words = said(body)
    own = f': "{words}"' if words and words.lower() not in _PHRASES else ""
    sentence = f"{server} {meaning} (status {status}){own}"
    return Busy(sentence, wait) if kind is Busy else kind(sentence)
