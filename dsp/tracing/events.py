"""What happens in a run, as typed values that a listener gets while it goes on."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from dsp.tracing import run as runs
from dsp.tracing.entry import HistoryEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

__all__ = ["CallEnded", "Event", "ProgramEnded", "ProgramStarted", "listening"]


@dataclass(frozen=True, slots=True)
class ProgramStarted:
    """A program began."""

    id: str
    """The run's id; its `ProgramEnded` and its calls carry it too."""
    program: str
    """The program's path."""


@dataclass(frozen=True, slots=True)
class ProgramEnded:
    """A program ended."""

    id: str
    program: str
    latency: float
    """Seconds."""
    error: BaseException | None
    """What it raised, if it failed."""


@dataclass(frozen=True, slots=True)
class CallEnded:
    """A model call ended, well or not."""

    entry: HistoryEntry


Event: TypeAlias = ProgramStarted | ProgramEnded | CallEnded


@contextmanager
def listening(sink: Callable[[Event], None]) -> Generator[None]:
    """Call `sink` with every event of the programs that run inside. It is called where the event happens: be quick.

    Example:
        >>> from dsp.tracing import listening
        >>> with listening(print):
        ...     pass
    """
    around = runs.current_run()
    run = runs.Run(around.path if around else "", around, owner=around.owner if around else None, sink=sink)
    token = runs.enter(run)
    try:
        yield
    finally:
        runs.leave(token)
