"""What a run returns: the output, and what it took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from dsp.adapters import ParseReport
    from dsp.tracing import HistoryEntry
    from dsp.usage import Usage

Out = TypeVar("Out", covariant=True)

__all__ = ["Prediction", "Reasoned"]


@dataclass(frozen=True)
class Prediction(Generic[Out]):
    """An output with what it took to get it."""

    output: Out
    usage: Usage
    """What this run spent: every attempt of every call below this program, each counted once; nothing for a cache hit."""
    cost: float | None
    """US dollars; None when any price is unknown."""
    latency: float
    """Seconds."""
    calls: tuple[HistoryEntry, ...]
    """Every model call below this program, in the order in which they ended."""
    parse: ParseReport | None
    """How the reply was read; None for a program that is built of others."""
    cached: bool
    """True when every call below was answered from the cache (and there was one)."""


@dataclass(frozen=True)
class Reasoned(Prediction[Out]):
    """An output with the reasoning that came before it."""

    reasoning: str
    """The model's reasoning, in its own words."""
