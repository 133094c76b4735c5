"""What every layer is, and what a call carries through them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from math import inf
from typing import Protocol

from dsp.messages import Request, Response, StreamChunk
from dsp.tracing import Attempt, CacheState

__all__ = ["Call", "Handler"]


@dataclass(slots=True)
class Call:
    """One model call on its way through the layers."""

    request: Request
    timeout: float
    """Seconds for the whole call."""
    deadline: float = inf
    """When it must have ended, in seconds of `time.monotonic()`; set when it begins."""
    seconds: float | None = None
    """The `UsageLimits(seconds=)` that set the deadline, when it leaves less than `timeout`."""
    sent: int = 0
    """Requests that were sent, the one under way included."""
    attempts: list[Attempt] = field(default_factory=list[Attempt])
    """The requests that have ended, well or not."""
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
