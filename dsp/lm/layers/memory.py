"""The cache of this process."""

from __future__ import annotations

from collections import OrderedDict
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from dsp.bridge import ForkSafeLock
from dsp.errors import SettingsError
from dsp.messages import ToolCallPart

if TYPE_CHECKING:
    from dsp.lm.key import CacheKey
    from dsp.messages import Response

__all__ = ["MemoryCache"]

OVERHEAD = 1_000
"""Bytes that an entry takes besides its text: objects, key, usage (measured with tracemalloc, CPython 3.11)."""


class MemoryCache:
    """Replies in memory, the least recently used dropped first."""

    immediate: ClassVar[bool] = True
    max_entries: int
    max_bytes: int
    """An estimate: the length of the texts as UTF-8 would be at most 4 times that, and 1 kB for each entry."""
    ttl: float | None
    """Seconds for which a reply is served; None for ever."""

    def __init__(self, max_entries: int = 1_000, max_bytes: int = 64_000_000, ttl: float | None = None) -> None:
        for name, value in (("max_entries", max_entries), ("max_bytes", max_bytes), ("ttl", ttl)):
            if value is not None and value <= 0:
                raise SettingsError(f"MemoryCache({name}={value}) holds nothing: write `cache=False` for no cache.")
        self.max_entries = max_entries
        self.max_bytes = max_bytes
        self.ttl = ttl
        self._entries: OrderedDict[bytes, tuple[Response, float, int]] = OrderedDict()
        self._bytes = 0
        self._lock = ForkSafeLock()

    def __len__(self) -> int:
        return len(self._entries)

    async def get(self, key: CacheKey) -> Response | None:
        """The reply, if it is there and not too old."""
        digest = key.digest
        with self._lock:
            entry = self._entries.get(digest)
            if entry is None:
                return None
            if self.ttl is not None and monotonic() - entry[1] > self.ttl:
                self._drop(digest)
                return None
            self._entries.move_to_end(digest)
            return entry[0]

    async def put(self, key: CacheKey, response: Response) -> None:
        """Keep a reply, and drop old ones to make room. One that is larger than the whole cache is not kept."""
        self.keep(key, response)

    def keep(self, key: CacheKey, response: Response, age: float = 0.0) -> None:
        """The same for a reply that is `age` seconds old already, so that it is not served for longer than `ttl`."""
        size = OVERHEAD + sum(
            len(part.arguments) if isinstance(part, ToolCallPart) else len(part.text) for part in response.parts
        )
        with self._lock:
            self._drop(key.digest)
            if size > self.max_bytes:
                return
            self._entries[key.digest] = (response, monotonic() - age, size)
            self._bytes += size
            while len(self._entries) > self.max_entries or self._bytes > self.max_bytes:
                self._drop(next(iter(self._entries)))

    async def delete(self, key: CacheKey) -> None:
        """Drop a reply."""
        with self._lock:
            self._drop(key.digest)

    async def clear(self) -> None:
        """Drop every reply."""
        with self._lock:
            self._entries.clear()
            self._bytes = 0

    def _drop(self, digest: bytes) -> None:
        entry = self._entries.pop(digest, None)
        if entry is not None:
            self._bytes -= entry[2]
