"""One aiohttp session for each event loop, gone when its loop is."""

from __future__ import annotations

import asyncio
import urllib.request
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import ClientSession, DummyCookieJar, TCPConnector
from yarl import URL

from dsp.bridge import blocked_loops, on_fork, running_loop

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

__all__ = ["Sessions", "proxy_of"]

CLOSE_WAIT = 5.0
"""Seconds that `close` waits for the loop of another thread."""


@dataclass(frozen=True)
class Opened:
    """A session and the generator that closes it."""

    session: ClientSession
    keeper: AsyncGenerator[None, None]


class Sessions:
    """The sessions of one backend, a session per event loop.

    Each lives in an async generator that is started on the loop and never finished. A loop that ends the usual way
    (`asyncio.run`, `Runner`) closes its generators, and so the sockets with them; when the backend itself is no longer
    used, the loop's own finalizer does the same. Nobody has to call `close`, and everybody may.
    """

    def __init__(self) -> None:
        self._opened: dict[asyncio.AbstractEventLoop, Opened] = {}
        # Held by the finalizer, the sessions are never part of the garbage themselves: they are closed on their loops.
        weakref.finalize(self, _let_go, self._opened).atexit = False
        _everyone.add(self)

    async def get(self) -> ClientSession:
        """The session of the running loop, opened at the first request."""
        loop = asyncio.get_running_loop()
        opened = self._opened.get(loop)
        if opened is not None and not opened.session.closed:
            return opened.session
        for other in [other for other in self._opened if other.is_closed()]:
            self._opened.pop(other, None)
        # No `await` from here to the entry in the table lets another task in: the generator runs to its `yield` at once.
        session = _session()
        keeper = _keep(session)
        await anext(keeper)
        self._opened[loop] = Opened(session, keeper)
        return session

    async def aclose(self) -> None:
        """Closes the sessions on every loop; the next request opens a new one."""
        here = asyncio.get_running_loop()
        stuck = blocked_loops()
        for loop, opened in self._take():
            if loop is here:
                await opened.keeper.aclose()
                continue
            closing = asyncio.run_coroutine_threadsafe(_finish(opened), loop)
            if loop not in stuck:  # a loop that waits for this very call closes its session when it goes on
                await asyncio.wrap_future(closing)

    def close(self) -> None:
        """Closes the sessions on every loop, from a place without `await`.

        What belongs to a loop that waits for this call is closed as soon as that loop goes on.
        """
        here = running_loop()
        stuck = blocked_loops()
        for loop, opened in self._take():
            closing = asyncio.run_coroutine_threadsafe(_finish(opened), loop)
            if loop is not here and loop not in stuck:
                closing.result(CLOSE_WAIT)

    def _take(self) -> list[tuple[asyncio.AbstractEventLoop, Opened]]:
        # A loop that stands still cannot close anything now: it closes its generators when it ends.
        running = [loop for loop in self._opened if loop.is_running()]
        return [(loop, self._opened.pop(loop)) for loop in running]

    def forget(self) -> None:
        """Drops every session without closing it: in a forked child the sockets belong to the parent."""
        _abandoned.append(dict(self._opened))
        self._opened.clear()


def _session() -> ClientSession:
    return ClientSession(
        # How many calls run at once is decided above this, by the LM's limits.
        connector=TCPConnector(limit=0, ttl_dns_cache=60),
        cookie_jar=DummyCookieJar(),
        headers={
            "User-Agent": "dsp",
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
        },
    )


async def _keep(session: ClientSession) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        await session.close()
        await asyncio.sleep(0)  # a closed transport lets go of its socket in the loop's next round


def _let_go(everything: dict[asyncio.AbstractEventLoop, Opened]) -> None:
    """Close the sessions of a backend that is no longer used, each on its own loop."""
    for loop, opened in everything.items():
        # A loop that stands still closes its generators itself when it ends.
        if loop.is_running():
            asyncio.run_coroutine_threadsafe(_finish(opened), loop)
    everything.clear()


async def _finish(opened: Opened) -> None:
    await opened.keeper.aclose()


def proxy_of(url: URL) -> URL | None:
    """The proxy that the environment names for an address (`HTTPS_PROXY`, `NO_PROXY`), read without a thread a call."""
    if url.host is None or urllib.request.proxy_bypass(url.host):
        return None
    proxy = urllib.request.getproxies().get(url.scheme)
    return URL(proxy) if proxy else None


_everyone: weakref.WeakSet[Sessions] = weakref.WeakSet()
_abandoned: list[dict[asyncio.AbstractEventLoop, Opened]] = []


def _after_fork() -> None:
    for sessions in list(_everyone):
        sessions.forget()


on_fork(_after_fork)
