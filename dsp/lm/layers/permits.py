"""How many requests may be under way at once."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dsp.bridge import ForkSafeLock, is_blocked, renew_on_fork, running_loop, stuck_behind, to_loop
from dsp.errors import DeadlockError, SettingsError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dsp.lm.layers.handler import Call, Handler
    from dsp.messages import Response, StreamChunk

__all__ = ["Limits", "LimitsLayer", "Permits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How hard a model may be used."""

    concurrency: int | None = None
    """Requests under way at once, over all threads and loops; None for no limit."""

    def __post_init__(self) -> None:
        if self.concurrency is not None and self.concurrency < 1:
            raise SettingsError(f"Limits(concurrency={self.concurrency}) is below 1: leave it out for no limit.")


class Permits:
    """A semaphore that belongs to no loop: shared by threads, and by loops that come and go."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._lock = ForkSafeLock()
        self._start()
        renew_on_fork(self)

    def _start(self) -> None:
        self._holders: list[asyncio.AbstractEventLoop | None] = []
        self._waiters: deque[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = deque()

    async def acquire(self) -> asyncio.AbstractEventLoop | None:
        """Wait for a permit. Returns the loop that holds it, for `release`.

        Raises:
            DeadlockError: All are held by work of loops that the caller's own sync call blocks.
        """
        holder = running_loop()
        with self._lock:
            if len(self._holders) < self._number:
                self._holders.append(holder)
                return holder
            if stuck_behind(self._holders):
                raise DeadlockError(
                    f"All {self._number} permits are held by calls of the event loop that this sync call blocks. "
                    "Inside async code write `await program.acall(...)` instead of `program(...)`."
                )
        await to_loop()
        loop = asyncio.get_running_loop()
        with self._lock:
            if len(self._holders) < self._number:
                self._holders.append(loop)
                return loop
            turn: asyncio.Future[None] = loop.create_future()
            self._waiters.append((loop, turn))
        try:
            await turn
        except asyncio.CancelledError:
            with self._lock:
                if (loop, turn) in self._waiters:
                    self._waiters.remove((loop, turn))
                    raise
            self.release(loop)  # it was handed over in the moment of the cancellation
            raise
        return loop

    def release(self, holder: asyncio.AbstractEventLoop | None) -> None:
        """Give a permit back: to the first who waits and can go on."""
        with self._lock:
            self._holders.remove(holder)
            while self._waiters and len(self._holders) < self._number:
                loop, turn = self._next()
                self._holders.append(loop)
                try:
                    loop.call_soon_threadsafe(_wake, turn)
                except RuntimeError:
                    # The waiter's loop was closed under it: nobody will take this permit.
                    self._holders.remove(loop)

    def _next(self) -> tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]:
        # A waiter whose loop sits in a sync call could not go on, and the sync call may be waiting right here.
        chosen = next((waiter for waiter in self._waiters if not is_blocked(waiter[0])), self._waiters[0])
        self._waiters.remove(chosen)
        return chosen

    def renew(self) -> None:
        """All permits free; only for a child that has just been forked."""
        self._start()


def _wake(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)


class LimitsLayer:
    """Lets no more requests through at once than allowed. A permit is held for one attempt, not while one waits to retry."""

    def __init__(self, inner: Handler, permits: Permits) -> None:
        self.inner = inner
        self.permits = permits

    async def complete(self, call: Call) -> Response:
        """The reply, in its turn."""
        holder = await self.permits.acquire()
        try:
            return await self.inner.complete(call)
        finally:
            self.permits.release(holder)

    async def stream(self, call: Call) -> AsyncIterator[StreamChunk]:
        """The stream, in its turn; the permit is held until it ends."""
        holder = await self.permits.acquire()
        try:
            async for chunk in self.inner.stream(call):
                yield chunk
        finally:
            self.permits.release(holder)
