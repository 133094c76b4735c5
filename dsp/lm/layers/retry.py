"""Sending again what may succeed the next time."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from math import isfinite
from time import monotonic
from typing import TYPE_CHECKING, cast

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
    Jitter, AWS Architecture Blog, 2015), or is what the provider asked for with Retry-After, up to `cap`. When the call's
    `timeout` leaves no time for the wait, the error is raised at once.

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
            ("deadline", 0 if self.deadline is None else self.deadline, 0),
        ):
            _check(name, value, least)

    def wait(self, failed: int, error: LMError) -> float:
        """Seconds to wait after `failed` failed requests."""
        if error.retry_after is not None:
            return min(max(error.retry_after, 0.0), self.cap)
        try:
            longest = min(self.cap, self.base * self.factor ** (failed - 1))
        except OverflowError:
            longest = self.cap if self.base > 0 else 0.0
        return random.uniform(0.0, longest)  # noqa: S311 - jitter, no secret


def _check(name: str, value: object, least: int) -> None:
    kind = "a whole number" if name == "attempts" else "a finite number"
    fits = isinstance(value, int if name == "attempts" else int | float) and not isinstance(value, bool)
    if not fits or (isinstance(value, float) and not isfinite(value)):
        raise SettingsError(f"Retry({name}={value!r}) is not {kind}: write Retry({name}={max(least, 1)}) or the like.")
    if cast("float", value) < least:
        raise SettingsError(f"Retry({name}={value!r}) is below {least}.")


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
        now = monotonic()
        if self.policy.deadline is not None and delay >= self.policy.deadline - (now - started):
            raise error
        if delay > 0 and delay >= call.deadline - now:
            # To wait for the deadline would only hide why the model did not answer.
            allowed = f"timeout={call.timeout:g}" if call.seconds is None else f"UsageLimits(seconds={call.seconds:g})"
            error.add_note(f"Not sent again: {allowed} leaves no time for a wait of {delay:.3g} s.")
            raise error
        call.waited = delay
        if delay > 0:
            await to_loop()
            await asyncio.sleep(delay)
