"""Files that failed again and again are set aside: known in memory, so that nobody waits to be told.

A file is suspected of what its encoders fail by. When it has failed often enough, and other files do play, it is set
aside; it comes back when it changes, after a day, or when somebody has the library scanned.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from exstream.clock import Clock
from exstream.model.bad_file import BadFile

ENOUGH = 3
"""So many failures, with nothing in order between them, set a file aside."""
PROOF_MS = 10 * 60_000
"""A file is blamed only when another one has played this recently, or plays later: else it may be ffmpeg's fault."""
TERM_MS = 24 * 3_600_000
"""After so long a file that was set aside is tried again."""
MOST_SUSPECTS = 1_000


@dataclass(frozen=True, slots=True)
class News:
    """What has changed since the last time: files to keep on record, and those to take off it."""

    bad: tuple[BadFile, ...]
    good: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.bad or self.good)


class Quarantine:
    """Who is suspected and who is set aside. Belongs to the event loop; touches neither disk nor database."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._suspects: dict[str, BadFile] = {}
        self._bad: dict[str, BadFile] = {}
        self._played: dict[str, int] = {}
        self._to_keep: dict[str, BadFile] = {}
        self._to_drop: dict[str, None] = {}

    def suspect(self, location: str, reason: str) -> None:
        """Count a failure against the file at ``location``."""
        now = self._clock.now_ms()
        before = self._suspects.pop(location, None) or BadFile(location, reason, 0, now, now)
        self._suspects[location] = replace(before, reason=reason, failures=before.failures + 1, last_at=now)
        while len(self._suspects) > MOST_SUSPECTS:
            del self._suspects[next(iter(self._suspects))]
        self._judge(location)

    def clear(self, location: str) -> None:
        """The file at ``location`` has played: it is no suspect, and others can be blamed now."""
        now = self._clock.now_ms()
        self._suspects.pop(location, None)
        self.release(location)
        # Two are enough to know of another one than the file in question.
        self._played.pop(location, None)
        self._played[location] = now
        while len(self._played) > 2:
            del self._played[next(iter(self._played))]
        for suspect in tuple(self._suspects):
            self._judge(suspect)

    def _judge(self, location: str) -> None:
        suspect = self._suspects[location]
        proven = any(
            played >= suspect.first_at - PROOF_MS
            for other, played in self._played.items()
            if other != location
        )
        if suspect.failures >= ENOUGH and proven:
            del self._suspects[location]
            self._bad[location] = self._to_keep[location] = suspect
            self._to_drop.pop(location, None)

    def set_aside(self, location: str) -> str:
        """Return why the file at ``location`` is not to be played now; empty when it may be."""
        bad = self._bad.get(location)
        if bad is None or self._clock.now_ms() - bad.last_at >= TERM_MS:
            return ""
        return bad.reason

    def release(self, location: str) -> None:
        """Let the file at ``location`` be played again."""
        if self._bad.pop(location, None) is not None:
            self._to_keep.pop(location, None)
            self._to_drop[location] = None

    def files(self) -> tuple[BadFile, ...]:
        """Return the files that are set aside now, the latest first."""
        since = self._clock.now_ms() - TERM_MS
        found = (bad for bad in self._bad.values() if bad.last_at > since)
        return tuple(sorted(found, key=lambda bad: (-bad.last_at, bad.path)))

    def restore(self, files: Iterable[BadFile]) -> None:
        """Take over what is on record: files that are not there any more may be played again, save the newest."""
        kept = {file.path: file for file in files}
        for path in tuple(self._bad):
            if path not in kept and path not in self._to_keep:
                del self._bad[path]
        for path, file in kept.items():
            if path not in self._to_drop:
                self._bad.setdefault(path, file)

    def describe(self, location: str, size: int, mtime_ns: int) -> None:
        """Note what a file that is set aside is like; one that has changed may be played again."""
        bad = self._bad.get(location)
        if bad is None or (bad.size, bad.mtime_ns) == (size, mtime_ns):
            return
        if bad.size >= 0:
            self.release(location)
        else:
            self._bad[location] = self._to_keep[location] = replace(bad, size=size, mtime_ns=mtime_ns)

    def expire(self) -> None:
        """Forget the files that were set aside too long ago: the next airing tells."""
        shown = {file.path for file in self.files()}
        for path in tuple(self._bad):
            if path not in shown:
                self.release(path)

    def take_news(self) -> News:
        """Return what has changed since the last call."""
        news = News(tuple(self._to_keep.values()), tuple(self._to_drop))
        self._to_keep, self._to_drop = {}, {}
        return news

    def put_back(self, news: News) -> None:
        """Have ``news`` told once more, where nothing newer is known."""
        for file in news.bad:
            if file.path in self._bad:
                self._to_keep.setdefault(file.path, file)
        for path in news.good:
            if path not in self._bad:
                self._to_drop[path] = None
