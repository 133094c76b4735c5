"""Ending everything that dsp holds open."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from weakref import WeakSet

from dsp import bridge

if TYPE_CHECKING:
    from dsp.lm.backends.backend import Backend

__all__ = ["aclose", "aclose_backend", "close", "close_backend", "opened"]

_backends: WeakSet[Backend] = WeakSet()


def opened(backend: Backend) -> None:
    """Remember a backend for as long as it lives."""
    _backends.add(backend)


def close() -> None:
    """Close every connection of every model, and end dsp's background loop. What is called later opens its own again.

    Nothing has to be closed by hand: what belongs to a loop is closed with it, and the rest when the process ends.
    """
    for backend in list(_backends):
        close_backend(backend)
    bridge.close()


async def aclose() -> None:
    """The same, from async code."""
    for backend in list(_backends):
        await aclose_backend(backend)
    await asyncio.to_thread(bridge.close)


def close_backend(backend: Backend) -> None:
    """Close one backend's connections, if it has a way to."""
    finish = getattr(backend, "close", None)
    if finish is not None:
        finish()
    elif getattr(backend, "aclose", None) is not None:
        bridge.run_sync(_on_loop(backend))


async def aclose_backend(backend: Backend) -> None:
    """Close one backend's connections, if it has a way to."""
    finish = getattr(backend, "aclose", None)
    if finish is not None:
        await finish()


async def _on_loop(backend: Backend) -> None:
    await bridge.to_loop()
    await aclose_backend(backend)
