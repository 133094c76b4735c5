"""How much a block of code may spend."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dsp.bridge import ForkSafeLock
from dsp.errors import LimitExceeded, SettingsError
from dsp.tracing import run as runs

if TYPE_CHECKING:
    from types import TracebackType

    from dsp.tracing.entry import HistoryEntry
    from dsp.tracing.run import Run

__all__ = ["Allowance", "UsageLimits"]


KEPT = 100
"""How many calls an account of `UsageLimits` holds: a block that runs for days must not grow."""


@dataclass(frozen=True, slots=True)
class UsageLimits:
    """What the model calls inside a `with` may use, across tasks, threads and sub-programs.

    A call is refused once a limit is reached. `calls` holds for calls at the same time too: a call takes its place when
    it begins. What a call will cost is known only when it has ended: calls that are under way when `tokens` or `cost` is
    reached run to their end and are paid for, and each raises when its reply has come. Cache hits spend nothing, and
    count as no call. The block's `as` gives the account: `.usage`, `.cost`, and `.calls`, the last 100 of them.

    Raises:
        LimitExceeded: From the call that would go, or has gone, beyond a limit.
        SettingsError: A limit below 0.
    """

    calls: int | None = None
    """Calls that reach a model."""
    tokens: int | None = None
    """Tokens read and written."""
    cost: float | None = None
    """US dollars; a call of unknown price counts as nothing."""
    seconds: float | None = None
    """For the model calls inside, counted from entering the block: a running call is cut off, and no other begins. Your
    own code inside is not interrupted."""

    def __post_init__(self) -> None:
        for name in ("calls", "tokens", "cost", "seconds"):
            value: float | None = getattr(self, name)
            if value is not None and value < 0:
                raise SettingsError(f"UsageLimits({name}={value}) is below 0: leave it out for no limit.")

    def __enter__(self) -> Run:
        around = runs.current_run()
        run = runs.Run(
            around.path if around else "",
            around,
            owner=around.owner if around else None,
            allowance=Allowance(self),
            deadline=None if self.seconds is None else time.monotonic() + self.seconds,
            seconds=self.seconds,
            keep=KEPT,
        )
        runs.enter(run)
        return run

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        inside = runs.current_run()
        runs.enter(inside.parent if inside else None)


class Allowance:
    """What is left of some limits: running sums, so that a check costs the same after a million calls."""

    __slots__ = ("_lock", "limits", "spent")

    limits: UsageLimits
    spent: dict[str, float]

    def __init__(self, limits: UsageLimits) -> None:
        self.limits = limits
        self.spent = {"calls": 0, "tokens": 0, "cost": 0.0}
        self._lock = ForkSafeLock()

    def reserve(self) -> None:
        """Take one call, before it is sent.

        Raises:
            LimitExceeded: Nothing is left: with the limit's name, what was spent and what was allowed.
        """
        with self._lock:
            self._raise_beyond(before=True)
            self.spent["calls"] += 1

    def release(self) -> None:
        """Give back a call that reached no model."""
        with self._lock:
            self.spent["calls"] -= 1

    def settle(self, entry: HistoryEntry) -> None:
        """Count what a reserved call has spent, now that it has ended."""
        if not entry.attempts:
            self.release()
            return
        with self._lock:
            self.spent["tokens"] += entry.usage.total_tokens
            self.spent["cost"] += entry.cost or 0.0

    def check(self) -> None:
        """Raise when more was spent than allowed.

        Raises:
            LimitExceeded: With the limit's name, what was spent and what was allowed.
        """
        with self._lock:
            self._raise_beyond(before=False)

    def _raise_beyond(self, *, before: bool) -> None:
        for name, value in self.spent.items():
            allowed: float | None = getattr(self.limits, name)
            if allowed is None or value < allowed or (value == allowed and not before):
                continue
            state = "is used up" if value == allowed else "was passed"
            raise LimitExceeded(
                f"The limit of {allowed:g} {name} {state}: {value:g} spent. Raise UsageLimits({name}=...).",
                limit=name,
                value=value,
                allowed=float(allowed),
            )
