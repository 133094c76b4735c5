"""How long a call may take, every attempt and every wait included."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

from dsp.bridge import to_loop
from dsp.errors import Timeout

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
        limit = asyncio.timeout(call.timeout)
        try:
            async with limit:
                return await self.inner.complete(call)
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise self._too_late(call) from error

    async def stream(self, call: Call) -> AsyncIterator[StreamChunk]:
        """The stream, if each piece comes in time."""
        await to_loop()
        end = monotonic() + call.timeout
        chunks = self.inner.stream(call)
        while True:
            # Around each piece, not around the whole: a timeout must not be open while the consumer has the turn.
            limit = asyncio.timeout(max(end - monotonic(), 0.0))
            try:
                async with limit:
                    chunk = await anext(chunks, None)
            except TimeoutError as error:
                if not limit.expired():
                    raise
                raise self._too_late(call) from error
            if chunk is None:
                return
            yield chunk

    def _too_late(self, call: Call) -> Timeout:
        return Timeout(
            f"{call.request.model} had not answered after {call.timeout:g} s, {len(call.attempts)} failed attempt(s) "
            "before this one included. Allow more with `timeout=` or DSP_TIMEOUT.",
            model=call.request.model,
            provider=call.request.model.partition("/")[0],
            attempts=len(call.attempts) + 1,
        )
