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


@dataclass(frozen=True, slots=True)
class UsageLimits:
    """What the model calls inside a `with` may use, across tasks, threads and sub-programs.

    A call is refused once a limit is reached (calls, tokens, cost); a reply that takes the sum beyond a limit raises
    when it has come. Cache hits spend nothing, and count as no call. The block's `as` gives the account: `.usage`,
    `.cost`, `.calls`.

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
    """For everything inside, from entering on; reaches running calls as their deadline."""

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

    def add(self, entry: HistoryEntry) -> None:
        """Count a call that has ended."""
        if entry.cache == "hit":
            return
        with self._lock:
            self.spent["calls"] += 1
            self.spent["tokens"] += entry.usage.total_tokens
            self.spent["cost"] += entry.cost or 0.0

    def check(self, *, before: bool) -> None:
        """Refuse a call for which nothing is left (`before`), or raise when more was spent than allowed (after).

        Raises:
            LimitExceeded: With the limit's name, what was spent and what was allowed.
        """
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
