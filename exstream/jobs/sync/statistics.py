"""What a synchronisation did, counted."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from exstream.model.server import Taken


@dataclass(slots=True)
class Statistics:
    """The figures of one synchronisation of a server."""

    total: int = 0
    """Items of the libraries that were looked at, by the server's count."""
    processed: int = 0
    """Items that were new or had changed."""
    skipped: int = 0
    """Items that were as they are kept."""
    added: int = 0
    updated: int = 0
    removed: int = 0
    """Items that are not on the server any more."""
    held_back: int = 0
    """Items that are not on the server either, but are too many to believe it at once."""
    requests: int = 0
    writes: int = 0
    """Rows written to the database."""
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)
    """One sentence for everything that the user should know."""

    def take(self, taken: Taken) -> None:
        """Count what a write of items changed."""
        self.added += len(taken.added)
        self.updated += len(taken.updated)
        self.removed += len(taken.removed)
        self.writes += taken.writes

    def add(self, other: Statistics) -> None:
        """Count what another synchronisation did, too."""
        for name, value in asdict(other).items():
            setattr(self, name, getattr(self, name) + value)

    @property
    def changed(self) -> bool:
        """Tell whether an item is not as it was."""
        return bool(self.added or self.updated or self.removed)

    def summary(self) -> str:
        """Return the figures in a line."""
        counts = {
            "items": self.total,
            "processed": self.processed,
            "skipped": self.skipped,
            "added": self.added,
            "updated": self.updated,
            "removed": self.removed,
            "requests": self.requests,
            "rows written": self.writes,
        }
        said = [f"{count} {name}" for name, count in counts.items()]
        if self.held_back:
            said.append(f"{self.held_back} held back")
        return ", ".join([*said, f"{self.seconds:.1f} s"])
