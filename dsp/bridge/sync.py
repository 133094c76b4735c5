"""A sync call: stepped in the caller's thread while nothing waits, then finished on the background loop."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar, copy_context
from queue import Empty, SimpleQueue
from threading import get_ident
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from dsp.bridge import loops
from dsp.errors import DeadlockError, RunError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterable, Iterator

T = TypeVar("T")

__all__ = [
    "blocked_loops",
    "is_blocked",
    "iterate_sync",
    "run_sync",
    "running_loop",
    "stuck_behind",
    "to_loop",
]

PATIENCE = 5.0
"""Seconds that an interrupted call waits for its coroutine to clean up."""

# Documented for the code of event loops; `get_running_loop` raises.
running_loop: Callable[[], asyncio.AbstractEventLoop | None] = asyncio._get_running_loop  # noqa: SLF001


class SyncCall:
    """One sync call in progress: who waits, and where its coroutine now runs."""

    __slots__ = ("blocks", "closed", "inbox", "loop", "outer", "stepping", "thread")

    def __init__(self, above: SyncCall | None) -> None:
        self.thread: int = get_ident()
        self.outer: asyncio.AbstractEventLoop | None = running_loop()
        """The loop that runs in the caller's thread (a notebook's, say): blocked for as long as this call takes."""
        self.blocks: tuple[asyncio.AbstractEventLoop, ...] = above.blocks if above else ()
        if self.outer is not None:
            self.blocks = (*self.blocks, self.outer)
        self.stepping: bool = True
        self.closed: bool = False
        self.loop: asyncio.AbstractEventLoop | None = None
        self.inbox: SimpleQueue[Callable[[], None] | None]
        """Made at the handover. What the waiting thread shall run: plain functions; None ends the wait."""

    def steps_here(self) -> bool:
        """Whether this code runs in the caller's thread, before the handover."""
        return self.stepping and self.thread == get_ident() and running_loop() is self.outer


current: ContextVar[SyncCall | None] = ContextVar("dsp_sync_call", default=None)


class Cancellation:
    """Carries a cancellation into the sync calls that a plain function makes in another thread."""

    def __init__(self) -> None:
        self.cancelled: bool = False
        self._inner: set[Callable[[], None]] = set()

    def cancel(self) -> None:
        """Cancel every sync call below."""
        self.cancelled = True
        for each in tuple(self._inner):
            each()

    @contextmanager
    def around(self, cancel: Callable[[], None]) -> Generator[None, None, None]:
        """Have `cancel` called when the outer work is cancelled."""
        self._inner.add(cancel)
        try:
            if self.cancelled:
                cancel()
            yield
        finally:
            self._inner.discard(cancel)


cancellation: ContextVar[Cancellation | None] = ContextVar("dsp_cancellation", default=None)


class _Handover:
    """Awaited where a coroutine is about to wait: makes the driver in `run_sync` move it to a loop."""

    def __await__(self) -> Generator[_Handover, None, None]:
        yield self


_HANDOVER = _Handover()


async def to_loop() -> None:
    """From here on a loop is running. Free when one already is."""
    call = current.get()
    if call is not None and call.steps_here():
        await _HANDOVER


class _Rest(Generic[T]):
    """The part of a coroutine that is left after its first steps, as something to await."""

    def __init__(self, started: Coroutine[Any, Any, T]) -> None:
        self._started = started

    def __await__(self) -> Generator[Any, Any, T]:
        return self._started.__await__()


async def _finish(started: Coroutine[Any, Any, T]) -> T:
    return await _Rest(started)


def run_sync(main: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine, for a caller that cannot await.

    Raises:
        DeadlockError: The coroutine awaited something that only the caller's own, blocked loop could finish.
    """
    context = copy_context()
    call = SyncCall(current.get())
    context.run(current.set, call)
    try:
        paused = context.run(main.send, None)
    except StopIteration as done:
        return cast("T", done.value)  # what a coroutine returns arrives in StopIteration, untyped
    finally:
        call.stepping = False
    if paused is not _HANDOVER:
        main.close()
        raise DeadlockError(
            f"A sync call waited for {paused!r:.80} in its own thread. Write `await ....acall(...)`; a backend or "
            "adapter that waits must not set `immediate = True`."
        )
    with blocking(call.outer):
        return _wait(call, _start(call, main, context))


def _start(call: SyncCall, main: Coroutine[Any, Any, T], context: Any) -> asyncio.Future[T]:
    call.inbox = SimpleQueue()
    loop = call.loop = loops.pick()
    started: SimpleQueue[asyncio.Task[T]] = SimpleQueue()

    def done(_task: asyncio.Task[T]) -> None:
        # On the loop's thread, so that nothing can be put into the inbox after the None.
        call.closed = True
        call.inbox.put(None)

    def start() -> None:
        task = loop.create_task(_finish(main), context=context)
        task.add_done_callback(done)
        started.put(task)

    loop.call_soon_threadsafe(start)
    return started.get()


def _wait(call: SyncCall, task: asyncio.Future[T]) -> T:
    loop = cast("asyncio.AbstractEventLoop", call.loop)  # set by _start

    def cancel() -> None:
        loop.call_soon_threadsafe(task.cancel)

    above = cancellation.get()
    interrupted: BaseException | None = None
    with above.around(cancel) if above else nullcontext():
        while True:
            try:
                job = call.inbox.get(timeout=None if interrupted is None else PATIENCE)
                if job is None:
                    break
                job()
            except Empty:
                break
            except BaseException as error:  # Ctrl-C, or a plain function's SystemExit; raised below
                if interrupted is not None:
                    raise
                interrupted = error
                cancel()
    if interrupted is not None:
        raise interrupted
    try:
        return task.result()
    except asyncio.CancelledError:
        if loops.is_background(loop):
            raise
        raise RunError("dsp.close() ended this call while it was under way.") from None


@contextmanager
def blocking(loop: asyncio.AbstractEventLoop | None) -> Generator[None, None, None]:
    """Say that a loop's thread is busy with a sync call."""
    if loop is None:
        yield
        return
    loops.blocked[loop] += 1
    try:
        yield
    finally:
        loops.blocked[loop] -= 1
        if not loops.blocked[loop]:
            del loops.blocked[loop]


def blocked_loops() -> tuple[asyncio.AbstractEventLoop, ...]:
    """The loops that cannot go on before the current sync call returns."""
    call = current.get()
    return call.blocks if call is not None and not call.closed else ()


def is_blocked(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether the loop's thread now sits in a sync call, anyone's."""
    return loops.blocked[loop] > 0


def stuck_behind(holders: Iterable[asyncio.AbstractEventLoop | None]) -> bool:
    """Whether waiting for these loops would be waiting for ourselves."""
    mine = blocked_loops()
    return bool(mine) and all(holder in mine for holder in holders)


_END = object()


def iterate_sync(make: Callable[[], AsyncIterator[T]]) -> Iterator[T]:
    """The items of an async iterator, for a caller that cannot await; it is read no faster than the caller takes them.

    Closing the iterator early cancels the producer and waits until it has cleaned up.
    """
    loop = loops.pick()
    inbox: SimpleQueue[object] = SimpleQueue()
    wanted = asyncio.Semaphore(1)
    context = copy_context()
    # The consumer's loop is blocked while it waits for an item. Its thread takes items and nothing else, so plain
    # functions that the producer reaches run in worker threads: this call never says which loop it runs on.
    call = SyncCall(current.get())
    call.stepping = False
    context.run(current.set, call)

    async def produce() -> None:
        items = make()
        try:
            await wanted.acquire()
            async for item in items:
                inbox.put(item)
                await wanted.acquire()
        finally:
            if (finish := getattr(items, "aclose", None)) is not None:
                await finish()

    started: SimpleQueue[asyncio.Task[None]] = SimpleQueue()

    def start() -> None:
        task = loop.create_task(produce(), context=context)
        task.add_done_callback(lambda _task: inbox.put(_END))
        started.put(task)

    loop.call_soon_threadsafe(start)
    task = started.get()
    ended = False
    try:
        with blocking(running_loop()):
            item = inbox.get()
        while item is not _END:
            yield cast("T", item)  # only items of the iterator and _END are put
            loop.call_soon_threadsafe(wanted.release)
            with blocking(running_loop()):
                item = inbox.get()
        ended = True
        task.result()
    finally:
        if not ended:
            loop.call_soon_threadsafe(task.cancel)
            while inbox.get() is not _END:
                pass
