"""How long a call may take, every attempt and every wait included."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

from dsp.bridge import to_loop
from dsp.errors import LimitExceeded, RunError, Timeout
from dsp.lm.layers.attempt import CANCELLED

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dsp.lm.layers.handler import Call, Handler
    from dsp.messages import Response, StreamChunk

__all__ = ["DeadlineLayer"]


class DeadlineLayer:
    """Cancels what has not ended in time; the cancellation reaches the socket."""

    def __init__(self, inner: Handler) -> None:
        self.inner = inner

    async def complete(self, call: Call) -> Response:
        """The reply, if it comes in time."""
        await to_loop()  # only a loop can interrupt
        limit = asyncio.timeout(_left(call))
        try:
            async with limit:
                return await self.inner.complete(call)
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise _too_late(call) from error

    async def stream(self, call: Call) -> AsyncIterator[StreamChunk]:
        """The stream, if each piece comes in time."""
        await to_loop()
        chunks = self.inner.stream(call)
        while True:
            # Around each piece, not around the whole: a timeout must not be open while the consumer has the turn.
            limit = asyncio.timeout(_left(call))
            try:
                async with limit:
                    chunk = await anext(chunks, None)
            except TimeoutError as error:
                if not limit.expired():
                    raise
                raise _too_late(call) from error
            if chunk is None:
                return
            yield chunk


def _left(call: Call) -> float:
    return max(call.deadline - monotonic(), 0.0)


def _too_late(call: Call) -> RunError:
    """What to raise when the time is over: the run's limit if that was nearer, and what failed until then."""
    request = call.request
    failed = [attempt.error for attempt in call.attempts if attempt.error is not None and attempt.error != CANCELLED]
    told = f"{call.sent} request(s) were sent"
    if failed:
        told += f", and the last that failed did so with {failed[-1].reason}: {failed[-1].message}".removesuffix(".")
    if call.seconds is not None:
        spent = call.seconds + monotonic() - call.deadline
        return LimitExceeded(
            f"{request.model} had not answered when the {call.seconds:g} s of UsageLimits(seconds={call.seconds:g}) "
            f"were used up; {told}. Raise UsageLimits(seconds=...).",
            limit="seconds",
            value=spent,
            allowed=call.seconds,
        )
    return Timeout(
        f"{request.model} had not answered after {call.timeout:g} s; {told}. Allow more with `timeout=` or DSP_TIMEOUT.",
        model=request.model,
        provider=request.model.partition("/")[0],
        attempts=call.sent,
    )
