"""A cache that outlives the process: SQLite, rows of JSON, nothing that could run code."""

from __future__ import annotations

import logging
import os
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from dsp.bridge import ForkSafeLock, call_plain, renew_on_fork
from dsp.errors import SettingsError
from dsp.lm.layers.memory import MemoryCache
from dsp.messages import response_from_json, response_to_json

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from dsp.lm.key import CacheKey
    from dsp.messages import Response

__all__ = ["DiskCache"]

T = TypeVar("T")

SCHEMA = """
CREATE TABLE IF NOT EXISTS replies (
    key BLOB PRIMARY KEY, model TEXT NOT NULL, reply TEXT NOT NULL,
    size INTEGER NOT NULL, made REAL NOT NULL, used REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS replies_by_use ON replies (used);
"""
BUSY = 2.0
"""Seconds that a writer waits for another process that writes."""
BUSY_READING = 0.02
"""Seconds that a reader waits: only for a process that is just opening or closing the file, never for one that writes."""
MARKS = 64
"""How many uses are noted in memory before they are written down."""
ROOM = 0.9
"""How full the cache is after old replies were dropped."""

logger: logging.Logger = logging.getLogger("dsp")


class DiskCache:
    """Replies in an SQLite file, with the last ones in memory too. Many processes may share the file.

    It never fails a call: a file that cannot be read or written is logged (once, then at the level `debug`), and the
    model is asked instead. To look up a reply never waits for a process that writes.

    Args:
        path: The file, or a directory for it; made when the first reply is kept. What has no suffix, or is a directory
            already, is taken as a directory.
        max_bytes: Of the replies' text; the least recently used are dropped beyond it. Processes that write at the same
            time may each go beyond it by a tenth until the next one looks.
        ttl: Seconds for which a reply is served; None for ever.

    Raises:
        SettingsError: A bound that leaves no room.
    """

    path: Path
    max_bytes: int
    ttl: float | None

    def __init__(self, path: str | Path, max_bytes: int = 1_000_000_000, ttl: float | None = None) -> None:
        if max_bytes <= 0 or (ttl is not None and ttl <= 0):
            raise SettingsError(f"DiskCache(max_bytes={max_bytes}, ttl={ttl}) holds nothing: write `cache=False`.")
        given = Path(path).expanduser()
        is_file = given.suffix and not os.path.isdir(given)  # noqa: PTH112 - pathlib's raises where it may not look
        self.path = given if is_file else given / "replies.sqlite"
        self.max_bytes = max_bytes
        self.ttl = ttl
        self._front = MemoryCache(ttl=ttl)
        # One connection each, so that a lookup does not stand behind a writer who waits for another process.
        self._reading, self._writing = ForkSafeLock(), ForkSafeLock()
        self._reader: sqlite3.Connection | None = None
        self._writer: sqlite3.Connection | None = None
        self._used: dict[bytes, float] = {}
        self._room = -1
        """Bytes that may be written before the next look at the size; the first write looks."""
        self._told = False
        renew_on_fork(self)

    async def get(self, key: CacheKey) -> Response | None:
        """The reply, if it is there, whole and not too old."""
        known = await self._front.get(key)
        if known is not None:
            return known
        # Read here and not in a thread: it takes microseconds, and readers wait for nobody in WAL mode.
        with self._reading:
            found = self._attempt(lambda: self._read(key))
        if found is None:
            return None
        known, age = found
        self._front.keep(key, known, age)
        return known

    async def put(self, key: CacheKey, response: Response) -> None:
        """Keep a reply. One that is larger than the whole cache is not kept."""
        await self._front.put(key, response)
        row = self._attempt(lambda: response_to_json(response))
        if row is None or len(row) > self.max_bytes:
            return

        def write(connection: sqlite3.Connection) -> None:
            now = time.time()
            values = (key.digest, key.request.model, row, len(row), now, now)
            connection.execute("INSERT OR REPLACE INTO replies VALUES (?, ?, ?, ?, ?, ?)", values)
            self._mark(connection)
            self._room -= len(row)
            if self._room < 0:
                self._sweep(connection)

        await call_plain(self._write, write)

    async def delete(self, key: CacheKey) -> None:
        """Drop a reply."""
        await self._front.delete(key)

        def drop(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM replies WHERE key = ?", (key.digest,))

        await call_plain(self._write, drop)

    async def clear(self) -> None:
        """Drop every reply."""
        await self._front.clear()

        def drop(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM replies")

        await call_plain(self._write, drop)

    def close(self) -> None:
        """Let go of the file; the next call opens it again."""
        with self._reading:
            if self._reader is not None:
                self._attempt(self._mark_at_once)
                self._reader.close()
                self._reader = None
        with self._writing:
            if self._writer is not None:
                self._writer.close()
                self._writer = None

    def renew(self) -> None:
        """Open connections of its own; only for a child that has just been forked."""
        # The parent's are kept, unused: SQLite forbids to close them in another process.
        _parents.extend((self._reader, self._writer))
        self._reader = self._writer = None

    def _read(self, key: CacheKey) -> tuple[Response, float] | None:
        """The reply, and how many seconds old it is."""
        if self._reader is None:
            self._reader = self._open_for_reading()
            if self._reader is None:
                return None
        query = "SELECT reply, made FROM replies WHERE key = ?"
        with closing(self._reader.execute(query, (key.digest,))) as found:
            row = found.fetchone()
        if row is None:
            return None
        text, made = row
        try:
            age = max(time.time() - float(made), 0.0)
            response = response_from_json(text)
        except (ValueError, TypeError) as error:
            logger.warning("A reply in %s cannot be read (%s); the model is asked again.", self.path, error)
            return None
        if self.ttl is not None and age > self.ttl:
            return None
        self._used[key.digest] = time.time()
        if len(self._used) >= MARKS:
            self._mark_at_once()
        return response, age

    def _mark_at_once(self) -> None:
        """Write down what was used, if nobody else is writing; else it is forgotten."""
        import sqlite3

        connection = self._reader
        if connection is None or not self._used:
            return
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            connection.execute("BEGIN IMMEDIATE")
            with connection:
                self._mark(connection)
        except sqlite3.OperationalError as error:
            self._used.clear()
            logger.debug("The uses of replies in %s were not noted (%s).", self.path, error)
        finally:
            connection.execute(f"PRAGMA busy_timeout = {BUSY_READING * 1000:.0f}")

    def _mark(self, connection: sqlite3.Connection) -> None:
        used, self._used = self._used, {}
        connection.executemany(
            "UPDATE replies SET used = ? WHERE key = ?", [(at, key) for key, at in list(used.items())]
        )

    def _sweep(self, connection: sqlite3.Connection) -> None:
        total: int = connection.execute("SELECT coalesce(sum(size), 0) FROM replies").fetchone()[0]
        if total > self.max_bytes:
            excess = total - int(self.max_bytes * ROOM)
            connection.execute(
                "DELETE FROM replies WHERE key IN (SELECT key FROM"
                " (SELECT key, sum(size) OVER (ORDER BY used, key) - size AS before FROM replies) WHERE before < ?)",
                (excess,),
            )
            total -= excess
        # Other processes write too: look again after a tenth, whatever room there seems to be.
        self._room = min(self.max_bytes - total, int(self.max_bytes * (1 - ROOM)))

    def _write(self, work: Callable[[sqlite3.Connection], None]) -> None:
        """Change the file, as a whole or not at all. It may wait for another process: not for a thread with a loop."""

        def change() -> None:
            if self._writer is None:
                self._writer = self._open_for_writing()
            self._writer.execute("BEGIN IMMEDIATE")
            with self._writer:
                work(self._writer)

        with self._writing:
            self._attempt(change)

    def _attempt(self, work: Callable[[], T]) -> T | None:
        """Do something with the file; None, and a line in the log, if that cannot be done."""
        import sqlite3

        try:
            return work()
        except (sqlite3.Error, OSError, ValueError, TypeError, RecursionError) as error:
            level = logging.DEBUG if self._told else logging.WARNING
            self._told = True
            logger.log(level, "The cache %s cannot be used (%s); the call goes on without it.", self.path, error)
            return None

    def _open_for_reading(self) -> sqlite3.Connection | None:
        """None if there is no cache yet: only a writer makes one."""
        if not os.path.exists(self.path):  # noqa: PTH110 - as above
            return None
        connection = self._connect(BUSY_READING)
        try:
            made = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'replies'").fetchone()
        except BaseException:
            connection.close()
            raise
        if made is None:
            connection.close()
            return None
        return connection

    def _open_for_writing(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = self._connect(BUSY)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(
                "PRAGMA synchronous = NORMAL"
            )  # a crash of the machine may lose the last replies, no more
            connection.executescript(SCHEMA)
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect(self, busy: float) -> sqlite3.Connection:
        import sqlite3

        return sqlite3.connect(self.path, timeout=busy, isolation_level=None, check_same_thread=False)


_parents: list[sqlite3.Connection | None] = []
