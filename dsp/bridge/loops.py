"""The background loop: where a sync call goes on when it has to wait.

There is one per process. Only when code that runs on it makes a sync call of its own, and so blocks it, does that call
get a second one.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, TypeVar

from dsp.bridge.fork import ForkSafeLock, on_fork

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from typing_extensions import ParamSpec

    P = ParamSpec("P")

T = TypeVar("T")

__all__ = ["background", "close"]

PATIENCE = 5.0
"""Seconds that the end of a loop waits for code on it that blocks."""

_lock = ForkSafeLock()
_loops: list[BackgroundLoop] = []
blocked: Counter[asyncio.AbstractEventLoop] = Counter()
"""Loops whose thread now sits in a sync call."""


class BackgroundLoop:
    """An event loop in a daemon thread of its own."""

    loop: asyncio.AbstractEventLoop
    thread: threading.Thread

    def __init__(self, number: int) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._main, name=f"dsp-loop-{number}", daemon=True)
        self.thread.start()

    def _main(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
        finally:
            tasks = asyncio.all_tasks(self.loop)
            for task in tasks:
                task.cancel()
            self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()

    def stop(self) -> None:
        """End the loop, closing what it holds, and wait for its thread."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        if threading.current_thread() is not self.thread:
            self.thread.join(PATIENCE)


def pick() -> asyncio.AbstractEventLoop:
    """A background loop that is not blocked; made when there is none."""
    with _lock:
        for candidate in _loops:
            if not blocked[candidate.loop]:
                return candidate.loop
        made = BackgroundLoop(len(_loops))
        _loops.append(made)
        return made.loop


def is_background(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether the loop is one of dsp's own."""
    return any(candidate.loop is loop for candidate in _loops)


async def background(fn: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """Await `fn(...)` on dsp's own loop, whichever loop the caller is on.

    For what keeps sockets in places that dsp does not own: they then live on a loop that outlasts the caller's.
    Cancelling the caller cancels the work.
    """
    if is_background(asyncio.get_running_loop()):
        return await fn(*args, **kwargs)
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(fn(*args, **kwargs), pick()))


def close() -> None:
    """End the background loops and what lives on them; the next sync call that waits starts a new one."""
    with _lock:
        ending, _loops[:] = list(_loops), []
    for each in ending:
        each.stop()


def _forget() -> None:
    # The threads stayed in the parent. Their loops are kept, unreachable for new work, because closing them here would
    # close file descriptors that the parent shares.
    _parents.extend(_loops)
    _loops.clear()
    blocked.clear()


_parents: list[BackgroundLoop] = []
on_fork(_forget)
atexit.register(close)
