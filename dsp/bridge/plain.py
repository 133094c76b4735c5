"""Where a function of the user's runs when a coroutine reaches it."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from contextvars import copy_context
from inspect import isawaitable
from typing import TYPE_CHECKING, TypeVar, cast

from dsp.bridge.loops import is_background
from dsp.bridge.sync import Cancellation, cancellation, current, running_loop, to_loop

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")
A = TypeVar("A")

__all__ = ["call_function", "call_plain"]


async def call_function(fn: Callable[[A], T | Awaitable[T]], argument: A, *, is_async: bool) -> T:
    """The result of a user's function, plain or async. A plain one may also return something to await."""
    if is_async:
        await to_loop()  # its author may gather, sleep or time out at once
        return await cast("Awaitable[T]", fn(argument))
    result = await call_plain(fn, argument)
    if isawaitable(result):
        await to_loop()
        return await cast("Awaitable[T]", result)
    return result


async def call_plain(fn: Callable[[A], T], argument: A) -> T:
    """Call a plain function that may block.

    Reached from a sync call it runs in the thread that made the call. Reached from async code it runs in a worker
    thread with the caller's context; each has a thread of its own, so that nested calls never wait for a free one.
    """
    call = current.get()
    if call is not None:
        if call.steps_here():
            return fn(argument)
        if not call.closed and running_loop() is call.loop:
            return await _elsewhere(fn, argument, call.inbox.put)
    return await _elsewhere(fn, argument, _in_new_thread)


def _in_new_thread(job: Callable[[], None]) -> None:
    threading.Thread(target=job, name="dsp-plain", daemon=True).start()


async def _elsewhere(fn: Callable[[A], T], argument: A, send: Callable[[Callable[[], None]], None]) -> T:
    """Have another thread run `fn(argument)` in a copy of this context, and wait for it."""
    loop = asyncio.get_running_loop()
    arrived: asyncio.Future[None] = loop.create_future()
    context = copy_context()
    scope = Cancellation()
    context.run(cancellation.set, scope)
    returned: list[T] = []
    raised: list[BaseException] = []

    def wake() -> None:
        if not arrived.done():
            arrived.set_result(None)

    def job() -> None:
        if scope.cancelled:
            return
        try:
            returned.append(context.run(fn, argument))
        except BaseException as error:
            # Raised again in the coroutine that waits; in the caller's own thread, what ends a thread ends the call.
            if send is not _in_new_thread and not isinstance(error, Exception | asyncio.CancelledError):
                raise
            raised.append(error)
        with suppress(RuntimeError):  # the loop was closed while the function ran: nobody waits any more
            loop.call_soon_threadsafe(wake)

    send(job)
    try:
        await arrived
    except asyncio.CancelledError:
        scope.cancel()
        raise
    if raised:
        if isinstance(raised[0], SystemExit | KeyboardInterrupt) and is_background(loop):
            # On a loop of dsp's own, which serves others too, these two would end it.
            raise RuntimeError(f"A plain function in a worker thread raised {raised[0]!r}.") from raised[0]
        raise raised[0]
    return returned[0]
