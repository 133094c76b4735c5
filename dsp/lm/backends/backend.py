"""The one extension point of the LM layer: something that performs one request, once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol, runtime_checkable

from dsp.messages import Request, Response, StreamChunk

__all__ = ["Backend"]


@runtime_checkable
class Backend(Protocol):
    """Performs one `Request`, once: no retry, no cache, no printing.

    A failure is an `LMError` with the reason that fits. Two attributes may be added: `endpoint`, where requests go (part
    of the cache key, so that two servers never share an answer; without it replies are shared with no other object, in no
    process), and `immediate = True` on a backend that never waits
    for anything: a sync call then stays in the caller's thread.
    """

    @property
    def name(self) -> str:
        """What the backend is called in cache keys and history."""
        ...

    async def complete(self, request: Request) -> Response:
        """The whole reply."""
        ...

    def stream(self, request: Request) -> AsyncIterator[StreamChunk]:
        """The reply, piece by piece; ends with a `FinishChunk`."""
        ...
