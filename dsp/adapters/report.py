"""What an adapter read out of a reply, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, Literal, Self, TypeAlias, TypeVar

__all__ = ["ParseReport", "Parsed", "Rung"]

O_co = TypeVar("O_co", covariant=True)

Rung: TypeAlias = Literal["direct", "repaired", "reread", "reasked", "next_adapter"]
"""How far down the ladder the reading went."""


@dataclass(frozen=True)
class ParseReport:
    """How a reply was read."""

    adapter: str
    """The adapter that read it: `chat`, `json`."""
    rung: Rung
    """`direct` when the reply was right as it stood."""
    attempts: int = 1
    """How many replies were asked for."""
    repairs: tuple[str, ...] = ()
    """What was mended, a line each."""


@dataclass(frozen=True)
class Parsed(Generic[O_co]):
    """An output, and how it was read."""

    output: O_co
    report: ParseReport
    leading: Mapping[str, str] = field(default_factory=dict[str, str])
    """Values of the fields that a program put before the output's own, by name: `{"reasoning": "..."}`."""

    def after(self, attempts: int, *, adapter: str | None = None, rung: Rung | None = None) -> Self:
        """The same output, reported as read after so many replies; by this adapter and on this rung, where given."""
        report = self.report
        return replace(
            self,
            report=ParseReport(adapter or report.adapter, rung or report.rung, attempts, report.repairs),
        )
