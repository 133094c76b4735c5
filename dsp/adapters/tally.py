"""How often each rung of the ladder gave the output."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from dsp.adapters.report import Rung
from dsp.bridge import renew_on_fork

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Outcome", "Tally"]

Outcome: TypeAlias = Rung | Literal["failed"]
"""A rung, or `failed` where none gave an output."""


class Tally:
    """Counts of outcomes, one number each: it never grows."""

    def __init__(self) -> None:
        self._counts: dict[Outcome, int] = {**dict.fromkeys(get_args(Rung), 0), "failed": 0}
        self._lock = Lock()  # a plain one, which costs a call next to nothing
        renew_on_fork(self)

    def renew(self) -> None:
        """Start with a free lock; only for a child that has just been forked."""
        self._lock = Lock()

    def add(self, outcome: Outcome) -> None:
        """One more."""
        with self._lock:
            self._counts[outcome] += 1

    def read(self) -> Mapping[Outcome, int]:
        """The counts as they are now."""
        with self._lock:
            return dict(self._counts)
