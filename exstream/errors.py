"""Every error the product raises on purpose, named by what the caller does next.

::

    ExstreamError
    ├── ConfigurationError      tell the user which setting to change
    │   └── PortInUse           tell the user who holds the port and what to set
    ├── DefinitionError         keep the last good definition, show every fault
    ├── CatalogueError          skip the item and name it
    │   └── UnreadableMedia     mark the file, try again when it changes
    ├── StoreError              tell the user about the database
    │   ├── StoreUnreachable    start the database server, then try again
    │   └── SchemaTooNew        start the newer version, or restore a backup
    ├── OutboundError           tell the user what another server said
    │   ├── Unreachable         try again when it answers
    │   │   ├── Busy            try again after the time it names
    │   │   └── TooMuch         ask for less at once
    │   ├── SignInNeeded        stop asking, and have the user sign in again
    │   ├── NotAllowed          do without: this user may not
    │   ├── NotThere            look for its new address, or drop it
    │   └── Misunderstood       keep what is known: this is no answer of such a server
    └── PlayoutError
        ├── SourceUnavailable   cover the slot, ask again later
        ├── FeedError           cover, then try again at the current position
        │   └── FileUnavailable take another copy: this one is not there, or cannot be read
        ├── NoTunerFree         answer 503 / 805
        ├── TuneFailed          answer 503 / 807
        ├── ViewerStalled       cut the connection, whatever is still on its way
        └── UnknownChannel      answer 404 / 801
"""

from __future__ import annotations

from collections.abc import Sequence


class ExstreamError(Exception):
    """Any error raised on purpose; its text is a sentence for the user."""


class ConfigurationError(ExstreamError):
    """A setting cannot be used; the text says which one and what to set."""


class PortInUse(ConfigurationError):
    """A port is taken; the text says by whom and which setting moves it."""


class DefinitionError(ExstreamError):
    """A channel definition cannot be used."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


class CatalogueError(ExstreamError):
    """An item cannot be taken into the catalogue."""


class UnreadableMedia(CatalogueError):
    """A file is no playable media; the text names it and says why."""


class StoreError(ExstreamError):
    """The database cannot be used; the text says what to do."""


class StoreUnreachable(StoreError):
    """The database server does not answer."""


class SchemaTooNew(StoreError):
    """The database was written by a newer version."""


class OutboundError(ExstreamError):
    """Another server answers, but not with what was asked of it."""


class Unreachable(OutboundError):
    """Another server does not answer, or not any more, or says that it cannot now."""


class Busy(Unreachable):
    """A server says that it cannot now: it starts, is under maintenance, or has too much to do."""

    def __init__(self, text: str, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after
        """In so many seconds, by its own word; None where it does not say."""


class TooMuch(Unreachable):
    """A server fails at, or takes too long over, just this: a smaller portion may come through."""


class SignInNeeded(OutboundError):
    """A server does not accept the token (401)."""


class NotAllowed(OutboundError):
    """A server knows the user, who may not do this (403)."""


class NotThere(OutboundError):
    """A server has nothing at this address, or not any more (404, 410)."""


class Misunderstood(OutboundError):
    """What came is not what such a server answers: a page of a proxy, half an answer, or another program."""


class PlayoutError(ExstreamError):
    """Something on air went wrong."""


class SourceUnavailable(PlayoutError):
    """An item has no playable source now."""


class FeedError(PlayoutError):
    """A feed could not start or broke off; carries the encoder's last words."""

    def __init__(self, reason: str, stderr: str = "") -> None:
        super().__init__(f"{reason}: {stderr}" if stderr else reason)
        self.reason = reason
        self.stderr = stderr


class FileUnavailable(FeedError):
    """A feed's file is not there, does not answer, or cannot be read: nothing was started."""


class NoTunerFree(PlayoutError):
    """All tuners are taken."""


class TuneFailed(PlayoutError):
    """A known channel gave no picture in time."""


class ViewerStalled(PlayoutError):
    """A viewer takes nothing any more."""


class UnknownChannel(PlayoutError):
    """There is no such channel, or it is switched off."""
