"""How many requests may be under way at once."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

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


Waiter: TypeAlias = tuple[asyncio.AbstractEventLoop, "asyncio.Future[None]"]


class Permits:
    """A semaphore that belongs to no loop: shared by threads, and by loops that come and go."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._lock = ForkSafeLock()
        self._start()
        renew_on_fork(self)

    def _start(self) -> None:
        self._holders: list[asyncio.AbstractEventLoop | None] = []
        self._waiters: deque[Waiter] = deque()

    async def acquire(self) -> asyncio.AbstractEventLoop | None:
        """Wait for a permit. Returns the loop that holds it, for `release`.

        Raises:
            DeadlockError: All are held by work of loops that the caller's own sync call blocks.
        """
        holder = running_loop()
        with self._lock:
            if self._take(holder):
                return holder
            if stuck_behind(self._holders):
                raise DeadlockError(
                    f"All {self._number} permits are held by calls of the event loop that this sync call blocks. "
                    "Inside async code write `await program.acall(...)` instead of `program(...)`."
                )
        await to_loop()
        loop = asyncio.get_running_loop()
        with self._lock:
            if self._take(loop):
                return loop
            waiter = (loop, loop.create_future())
            self._waiters.append(waiter)
        try:
            await waiter[1]
        except asyncio.CancelledError:
            with self._lock:
                if waiter in self._waiters:
                    self._waiters.remove(waiter)
                    self._call_next()  # it may have been this one's turn
                    raise
            self.release(loop)  # it was taken in the moment of the cancellation
            raise
        return loop

    def release(self, holder: asyncio.AbstractEventLoop | None) -> None:
        """Give a permit back: to the first who waits and can go on."""
        with self._lock:
            self._holders.remove(holder)
            self._call_next()

    def _take(self, holder: asyncio.AbstractEventLoop | None) -> bool:
        """Take a permit, unless there is none or somebody who can go on waits for it already."""
        if len(self._holders) >= self._number or any(_can_go_on(loop) for loop, _ in self._waiters):
            return False
        self._holders.append(holder)
        return True

    def _call_next(self) -> None:
        """Have the next waiters claim the permits that are free.

        A permit is claimed by the waiter's own loop, when it runs: one whose loop stands still, or sits in a sync call,
        keeps its place in the line and holds up nobody.
        """
        free = self._number - len(self._holders)
        for waiter in list(self._waiters):
            able = _can_go_on(waiter[0])
            if able and free <= 0:
                continue
            free -= able
            try:
                waiter[0].call_soon_threadsafe(self._claim, waiter)
            except RuntimeError:  # its loop was closed under it
                self._waiters.remove(waiter)

    def _claim(self, waiter: Waiter) -> None:
        with self._lock:
            if waiter not in self._waiters or len(self._holders) >= self._number:
                return
            self._waiters.remove(waiter)
            if waiter[1].done():  # cancelled: it will never come for it
                self._call_next()
                return
            self._holders.append(waiter[0])
            waiter[1].set_result(None)

    def renew(self) -> None:
        """All permits free; only for a child that has just been forked."""
        self._start()


def _can_go_on(loop: asyncio.AbstractEventLoop) -> bool:
    return loop.is_running() and not is_blocked(loop)


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
