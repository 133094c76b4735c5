"""The run context: what a call belongs to, carried in one context value."""

from __future__ import annotations

import os
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count
from typing import TYPE_CHECKING

from dsp.bridge import on_fork
from dsp.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextvars import Token

    from dsp.tracing.entry import HistoryEntry
    from dsp.tracing.events import Event
    from dsp.tracing.limits import Allowance

__all__ = ["Run", "current_run", "new_id", "track"]

_prefix = os.urandom(6).hex()
_numbers = count(1)


def new_id() -> str:
    """An id that no other run or call has, in this process or another."""
    return f"{_prefix}-{next(_numbers)}"


def _new_prefix() -> None:
    global _prefix  # noqa: PLW0603 - a forked child must not repeat its parent's ids
    _prefix = os.urandom(6).hex()


on_fork(_new_prefix)


class Run:
    """A program's run, or a block of code that is tracked: its place, its account, its limits."""

    __slots__ = ("allowance", "calls", "deadline", "id", "owner", "parent", "path", "sink")

    id: str
    path: str
    """Names from the outermost program to this one, joined by dots."""
    owner: object
    """The program that runs, for finding its parts by name; None for a tracked block."""
    parent: Run | None
    calls: list[HistoryEntry]
    """Every model call below, in the order in which they ended."""
    sink: Callable[[Event], None] | None
    """Where events go."""
    allowance: Allowance | None
    """What may still be spent here; those further out hold too."""
    deadline: float | None
    """When all below must have ended, in seconds of `time.monotonic()`."""

    def __init__(
        self,
        path: str,
        parent: Run | None,
        *,
        owner: object = None,
        sink: Callable[[Event], None] | None = None,
        allowance: Allowance | None = None,
        deadline: float | None = None,
    ) -> None:
        self.id = new_id()
        self.path = path
        self.owner = owner
        self.parent = parent
        self.calls = []
        self.sink = sink
        self.allowance = allowance
        self.deadline = deadline
        if parent is not None:
            if sink is None:
                self.sink = parent.sink
            if parent.deadline is not None and (deadline is None or parent.deadline < deadline):
                self.deadline = parent.deadline

    @property
    def usage(self) -> Usage:
        """Tokens of every call below, each counted once."""
        calls = self.calls
        if len(calls) == 1:
            return calls[0].usage
        total = Usage()
        for call in calls:
            total = total + call.usage
        return total

    @property
    def cost(self) -> float | None:
        """US dollars of every call below; None when any price is unknown."""
        total = 0.0
        for call in self.calls:
            if call.cost is None:
                return None
            total += call.cost
        return total

    @property
    def cached(self) -> bool:
        """Whether there was a call below and every one was answered from the cache."""
        return bool(self.calls) and all(call.cache == "hit" for call in self.calls)

    def add(self, entry: HistoryEntry) -> None:
        """Put a call on this account and on those of all programs around it."""
        run: Run | None = self
        while run is not None:
            run.calls.append(entry)
            if run.allowance is not None:
                run.allowance.add(entry)
            run = run.parent

    def check_limits(self, *, before: bool) -> None:
        """See whether one more call may be made (`before`), or whether the last one went too far (after).

        Raises:
            LimitExceeded: A limit here or further out.
        """
        run: Run | None = self
        while run is not None:
            if run.allowance is not None:
                run.allowance.check(before=before)
            run = run.parent


_run: ContextVar[Run | None] = ContextVar("dsp_run", default=None)
current_run: Callable[[], Run | None] = _run.get
"""The run that this code belongs to, or None."""
enter: Callable[[Run | None], Token[Run | None]] = _run.set
leave: Callable[[Token[Run | None]], None] = _run.reset


@contextmanager
def track() -> Generator[Run]:
    """Count what the code inside spends: `.usage`, `.cost` and `.calls`, also after the block has ended.

    Calls in tasks and threads that dsp starts are counted, and those of your own threads with `dsp.copy_context`.
    """
    around = current_run()
    run = Run(around.path if around else "", around, owner=around.owner if around else None)
    token = enter(run)
    try:
        yield run
    finally:
        leave(token)
