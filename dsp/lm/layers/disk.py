"""A cache that outlives the process: SQLite, rows of JSON, nothing that could run code."""

from __future__ import annotations

import logging
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar

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
"""Seconds to wait for another process that writes."""
SWEEP = 64
"""How many replies are written between two looks at the size."""
ROOM = 0.9
"""How full the cache is after old replies were dropped."""

logger: logging.Logger = logging.getLogger("dsp")


class DiskCache:
    """Replies in an SQLite file, with the last ones in memory too. Many processes may share the file.

    It never fails a call: a file that cannot be read or written is logged, and the model is asked instead.

    Args:
        path: The file, or a directory for it; made when the first reply is looked up.
        max_bytes: Of the replies' text; the least recently used are dropped beyond it.
        ttl: Seconds for which a reply is served; None for ever.

    Raises:
        SettingsError: A bound that leaves no room.
    """

    immediate: ClassVar[bool] = True
    path: Path
    max_bytes: int
    ttl: float | None

    def __init__(self, path: str | Path, max_bytes: int = 1_000_000_000, ttl: float | None = None) -> None:
        if max_bytes <= 0 or (ttl is not None and ttl <= 0):
            raise SettingsError(f"DiskCache(max_bytes={max_bytes}, ttl={ttl}) holds nothing: write `cache=False`.")
        given = Path(path).expanduser()
        self.path = given if given.suffix else given / "replies.sqlite"
        self.max_bytes = max_bytes
        self.ttl = ttl
        self._front = MemoryCache(ttl=ttl)
        self._lock = ForkSafeLock()
        self._connection: sqlite3.Connection | None = None
        self._written = 0
        renew_on_fork(self)

    async def get(self, key: CacheKey) -> Response | None:
        """The reply, if it is there, whole and not too old."""
        known = await self._front.get(key)
        if known is None:
            # Read here and not in a thread: it takes microseconds, and readers wait for nobody in WAL mode.
            known = self._attempt(lambda connection: self._read(connection, key))
            if known is not None:
                await self._front.put(key, known)
        return known

    async def put(self, key: CacheKey, response: Response) -> None:
        """Keep a reply."""
        await self._front.put(key, response)
        row = response_to_json(response)

        def write(connection: sqlite3.Connection) -> None:
            now = time.time()
            values = (key.digest, key.request.model, row, len(row), now, now)
            connection.execute("INSERT OR REPLACE INTO replies VALUES (?, ?, ?, ?, ?, ?)", values)
            self._written += 1
            if self._written % SWEEP == 1:
                self._sweep(connection)

        # Writing may wait for another process: not in a thread that has a loop to run.
        await call_plain(self._attempt, write)

    async def delete(self, key: CacheKey) -> None:
        """Drop a reply."""
        await self._front.delete(key)

        def drop(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM replies WHERE key = ?", (key.digest,))

        await call_plain(self._attempt, drop)

    async def clear(self) -> None:
        """Drop every reply."""
        await self._front.clear()

        def drop(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM replies")

        await call_plain(self._attempt, drop)

    def close(self) -> None:
        """Let go of the file; the next call opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def renew(self) -> None:
        """Open a connection of its own; only for a child that has just been forked."""
        # The parent's is kept, unused: SQLite forbids to close it in another process.
        _parents.append(self._connection)
        self._connection = None

    def _read(self, connection: sqlite3.Connection, key: CacheKey) -> Response | None:
        with closing(connection.execute("SELECT reply, made FROM replies WHERE key = ?", (key.digest,))) as found:
            row = found.fetchone()
        if row is None or (self.ttl is not None and time.time() - row[1] > self.ttl):
            return None
        try:
            response = response_from_json(row[0])
        except ValueError as error:
            logger.warning("A reply in %s cannot be read (%s); the model is asked again.", self.path, error)
            return None
        connection.execute("UPDATE replies SET used = ? WHERE key = ?", (time.time(), key.digest))
        return response

    def _sweep(self, connection: sqlite3.Connection) -> None:
        total: int = connection.execute("SELECT coalesce(sum(size), 0) FROM replies").fetchone()[0]
        if total <= self.max_bytes:
            return
        excess = total - int(self.max_bytes * ROOM)
        connection.execute(
            "DELETE FROM replies WHERE key IN (SELECT key FROM"
            " (SELECT key, sum(size) OVER (ORDER BY used, key) - size AS before FROM replies) WHERE before < ?)",
            (excess,),
        )

    def _attempt(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """Do something with the file; None, and a line in the log, if that cannot be done."""
        import sqlite3

        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._open()
                return work(self._connection)
            except (sqlite3.Error, OSError) as error:
                logger.warning("The cache %s cannot be used (%s); the call goes on without it.", self.path, error)
                return None

    def _open(self) -> sqlite3.Connection:
        import sqlite3

        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self.path, timeout=BUSY, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")  # a crash of the machine may lose the last replies, no more
        connection.executescript(SCHEMA)
        return connection


_parents: list[sqlite3.Connection | None] = []
