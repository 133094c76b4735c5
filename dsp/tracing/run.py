"""The run context: what a call belongs to, carried in one context value."""

from __future__ import annotations

import os
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count
from typing import TYPE_CHECKING

from dsp.bridge import ForkSafeLock, on_fork
from dsp.errors import LimitExceeded
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


NOTHING = Usage()
_sums = ForkSafeLock()
"""One for the sums of all runs: held for an addition, and cheaper than one for each run."""


class Run:
    """A program's run, or a block of code that is tracked: its place, its account, its limits."""

    __slots__ = (
        "allowance",
        "calls",
        "cost",
        "deadline",
        "id",
        "keep",
        "owner",
        "paid",
        "parent",
        "path",
        "seconds",
        "sink",
        "usage",
    )

    id: str
    path: str
    """Names from the outermost program to this one, joined by dots."""
    owner: object
    """The program that runs, for finding its parts by name; None for a tracked block."""
    parent: Run | None
    calls: list[HistoryEntry]
    """The model calls below, in the order in which they ended: kept whole for as long as the run is held, all of them
    or the last `keep`."""
    usage: Usage
    """Tokens of every call below, each counted once."""
    cost: float | None
    """US dollars of every call below; None when any price is unknown."""
    paid: bool
    """Whether any call below was not answered from the cache."""
    keep: int | None
    """How many calls are kept; None for all."""
    sink: Callable[[Event], None] | None
    """Where events go."""
    allowance: Allowance | None
    """What may still be spent here; those further out hold too."""
    deadline: float | None
    """When all below must have ended, in seconds of `time.monotonic()`."""
    seconds: float | None
    """What was allowed when the deadline was set, for saying so."""

    def __init__(
        self,
        path: str,
        parent: Run | None,
        *,
        owner: object = None,
        sink: Callable[[Event], None] | None = None,
        allowance: Allowance | None = None,
        deadline: float | None = None,
        seconds: float | None = None,
        keep: int | None = None,
    ) -> None:
        self.id = new_id()
        self.path = path
        self.owner = owner
        self.parent = parent
        self.calls = []
        self.sink = sink
        self.allowance = allowance
        self.deadline = deadline
        self.seconds = seconds
        self.keep = keep
        self.usage = NOTHING
        self.cost = 0.0
        self.paid = False
        if parent is not None:
            if sink is None:
                self.sink = parent.sink
            if parent.deadline is not None and (deadline is None or parent.deadline < deadline):
                self.deadline, self.seconds = parent.deadline, parent.seconds

    @property
    def cached(self) -> bool:
        """Whether there was a call below and every one was answered from the cache."""
        return bool(self.calls) and not self.paid

    def reserve(self) -> None:
        """Take one call out of what is left here and further out. `add` settles it: every reserved call must end there.

        Raises:
            LimitExceeded: A limit here or further out leaves none; nothing is taken.
        """
        run: Run | None = self
        while run is not None:
            if run.allowance is not None:
                try:
                    run.allowance.reserve()
                except LimitExceeded:
                    self._give_back(run)
                    raise
            run = run.parent

    def add(self, entry: HistoryEntry) -> None:
        """Put a call on this account and on those of all programs around it."""
        hit = entry.cache == "hit"  # it spent nothing: the sums stay
        run: Run | None = self
        while run is not None:
            run.calls.append(entry)
            if run.keep is not None and len(run.calls) > run.keep:
                del run.calls[: -run.keep]
            if not hit:
                with _sums:
                    run.paid = True
                    run.usage = run.usage + entry.usage
                    run.cost = None if run.cost is None or entry.cost is None else run.cost + entry.cost
            if run.allowance is not None:
                run.allowance.settle(entry)
            run = run.parent

    def check_spent(self) -> None:
        """See whether the calls that have ended went too far.

        Raises:
            LimitExceeded: A limit here or further out.
        """
        run: Run | None = self
        while run is not None:
            if run.allowance is not None:
                run.allowance.check()
            run = run.parent

    def _give_back(self, refused: Run) -> None:
        run: Run | None = self
        while run is not None and run is not refused:
            if run.allowance is not None:
                run.allowance.release()
            run = run.parent


_run: ContextVar[Run | None] = ContextVar("dsp_run", default=None)
current_run: Callable[[], Run | None] = _run.get
"""The run that this code belongs to, or None."""
enter: Callable[[Run | None], Token[Run | None]] = _run.set
leave: Callable[[Token[Run | None]], None] = _run.reset


@contextmanager
def track() -> Generator[Run]:
    """Count what the code inside spends: `.usage`, `.cost` and `.calls`, also after the block has ended.

    The sums cost the same after a million calls. `.calls` holds every call with its prompt and reply for as long as you
    hold the account: for a long run, prefer `UsageLimits()`, which keeps the last 100, or a collector.
    Calls in tasks and threads that dsp starts are counted, and those of your own threads with `dsp.copy_context`.
    """
    around = current_run()
    run = Run(around.path if around else "", around, owner=around.owner if around else None)
    token = enter(run)
    try:
        yield run
    finally:
        leave(token)
