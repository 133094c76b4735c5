"""One screen of the demo: its heading, and what it spent."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING

from rich.text import Text

import dsp

if TYPE_CHECKING:
    from collections.abc import Generator

    from rich.console import Console

__all__ = ["Section", "opened"]


@dataclass
class Section:
    """A screen, filled in while it is shown."""

    name: str
    calls: list[dsp.HistoryEntry] = field(default_factory=list[dsp.HistoryEntry])
    """Every model call, the cached ones included."""
    seconds: float = 0.0

    @property
    def hits(self) -> int:
        """Calls that the cache answered."""
        return sum(call.cache == "hit" for call in self.calls)

    @property
    def usage(self) -> dsp.Usage:
        """Tokens that the model read and wrote."""
        return sum((call.usage for call in self.calls), dsp.Usage())

    @property
    def cost(self) -> float | None:
        """US dollars; None when any price is unknown."""
        costs = [call.cost for call in self.calls]
        return None if None in costs else sum(cost for cost in costs if cost is not None)


@contextmanager
def opened(console: Console, number: int, name: str, about: str) -> Generator[Section]:
    """Show the heading of a screen, and count what is spent inside."""
    section = Section(name)
    console.print()
    console.rule(Text(f"{number}. {name}", style="bold"), align="left")
    console.print(Text(about, style="dim"))
    console.print()
    started = perf_counter()
    with dsp.track() as spent:
        yield section
    section.seconds = perf_counter() - started
    section.calls = list(spent.calls)
