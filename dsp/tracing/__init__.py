"""Seeing what happens: the run that a call belongs to, what was spent, and what was said."""

from dsp.tracing.entry import Attempt, CacheState, Collector, Failure, HistoryEntry
from dsp.tracing.events import CallEnded, Event, ProgramEnded, ProgramStarted, listening
from dsp.tracing.history import history, inspect_history
from dsp.tracing.limits import UsageLimits
from dsp.tracing.run import Run, current_run, new_id, track

__all__ = [
    "Attempt",
    "CacheState",
    "CallEnded",
    "Collector",
    "Event",
    "Failure",
    "HistoryEntry",
    "ProgramEnded",
    "ProgramStarted",
    "Run",
    "UsageLimits",
    "current_run",
    "history",
    "inspect_history",
    "listening",
    "new_id",
    "track",
]
