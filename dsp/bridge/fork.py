"""What a forked child must not inherit: held locks, and loops whose threads stayed in the parent."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Protocol
from weakref import WeakSet

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

__all__ = ["ForkSafeLock", "on_fork", "renew_on_fork"]


class Renewable(Protocol):
    """State that a forked child must not inherit."""

    def renew(self) -> None:
        """Start afresh; called in the child."""
        ...


_renewed: WeakSet[Renewable] = WeakSet()
_resets: list[Callable[[], None]] = []


class ForkSafeLock:
    """A `threading.Lock` that is free in a forked child, whatever thread of the parent held it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        renew_on_fork(self)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()

    def renew(self) -> None:
        """Start with a free lock; only for a child that has just been forked."""
        self._lock = threading.Lock()


def renew_on_fork(state: Renewable) -> None:
    """Call `state.renew()` in every forked child, for as long as the object lives."""
    _renewed.add(state)


def on_fork(reset: Callable[[], None]) -> None:
    """Call `reset` in every forked child. For state of the process only: the function is kept for ever."""
    _resets.append(reset)


def _start_afresh() -> None:
    for state in list(_renewed):
        state.renew()
    for reset in _resets:
        reset()


if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(after_in_child=_start_afresh)
