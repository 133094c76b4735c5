"""Sending again what may succeed the next time."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from dsp.bridge import to_loop
from dsp.errors import LMError, SettingsError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dsp.lm.layers.handler import Call, Handler
    from dsp.messages import Response, StreamChunk

__all__ = ["Retry", "RetryLayer"]


@dataclass(frozen=True, slots=True)
class Retry:
    """When a failed request is sent again.

    Only errors that may pass are retried (`LMError.retryable`): timeouts, network errors, garbled responses, 5xx and
    rate limits; never a refused key, an exhausted quota or a request that is wrong. The wait before attempt n+1 is
    drawn from 0 to `min(cap, base * factor ** (n - 1))` seconds ("full jitter", Marc Brooker, Exponential Backoff And
    Jitter, AWS Architecture Blog, 2015), or is what the provider asked for with Retry-After, up to `cap`.

    Example:
        >>> Retry(attempts=2, base=0.5)
        Retry(attempts=2, base=0.5, factor=2.0, cap=30.0, deadline=None)
    """

    attempts: int = 4
    """Requests in all, the first included."""
    base: float = 1.0
    """Seconds: the longest first wait."""
    factor: float = 2.0
    cap: float = 30.0
    """Seconds: no wait is longer, not even one that the provider asks for."""
    deadline: float | None = None
    """Seconds from the first request after which no further one is sent."""

    def __post_init__(self) -> None:
        for name, value, least in (
            ("attempts", self.attempts, 1),
            ("base", self.base, 0),
            ("factor", self.factor, 1),
            ("cap", self.cap, 0),
        ):
            if not value >= least:
                raise SettingsError(f"Retry({name}={value}) is below {least}.")

    def wait(self, failed: int, error: LMError) -> float:
        """Seconds to wait after `failed` failed requests."""
        if error.retry_after is not None:
            return min(max(error.retry_after, 0.0), self.cap)
        return random.uniform(0.0, min(self.cap, self.base * self.factor ** (failed - 1)))  # noqa: S311 - jitter, no secret


class RetryLayer:
    """Sends a failed request again, as a `Retry` says. A stream is begun again only while nothing has come of it."""

    def __init__(self, inner: Handler, policy: Retry) -> None:
        self.inner = inner
        self.policy = policy

    async def complete(self, call: Call) -> Response:
        """The first reply that comes."""
        started = monotonic()
        while True:
            try:
                return await self.inner.complete(call)
            except LMError as error:
                await self._wait_or_raise(call, error, started)

    async def stream(self, call: Call) -> AsyncIterator[StreamChunk]:
        """The first stream that begins."""
        started = monotonic()
        while True:
            begun = False
            try:
                async for chunk in self.inner.stream(call):
                    begun = True
                    yield chunk
                return
            except LMError as error:
                if begun:
                    raise
                await self._wait_or_raise(call, error, started)

    async def _wait_or_raise(self, call: Call, error: LMError, started: float) -> None:
        sent = len(call.attempts)
        if not error.retryable or sent >= self.policy.attempts:
            raise error
        delay = self.policy.wait(sent, error)
        left = None if self.policy.deadline is None else self.policy.deadline - (monotonic() - started)
        if left is not None and delay >= left:
            raise error
        call.waited = delay
        if delay > 0:
            await to_loop()
            await asyncio.sleep(delay)
