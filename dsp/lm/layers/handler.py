"""What every layer is, and what a call carries through them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Protocol

from dsp.messages import Request, Response, StreamChunk
from dsp.tracing import Attempt, CacheState

__all__ = ["Call", "Handler"]


@dataclass(slots=True)
class Call:
    """One model call on its way through the layers."""

    request: Request
    timeout: float
    """Seconds for everything below the cache."""
    attempts: list[Attempt] = field(default_factory=list[Attempt])
    """What was sent so far."""
    cache: CacheState = "off"
    waited: float = 0.0
    """Seconds that were waited before the next attempt."""


class Handler(Protocol):
    """Performs a call; a layer does so by way of the handler that it wraps."""

    async def complete(self, call: Call) -> Response:
        """The whole reply."""
        ...

    def stream(self, call: Call) -> AsyncIterator[StreamChunk]:
        """The reply, piece by piece."""
        ...
