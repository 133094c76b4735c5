"""One model call as it is remembered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from dsp.errors import Reason
from dsp.messages import Request, Response
from dsp.usage import Usage

__all__ = ["Attempt", "CacheState", "Collector", "Failure", "HistoryEntry"]

CacheState: TypeAlias = Literal["hit", "miss", "off"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request on the wire."""

    latency: float
    """Seconds."""
    error: Failure | None
    """Why it failed, if it did."""
    waited: float = 0.0
    """Seconds that were waited before it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as it is remembered: without the frames that an exception keeps alive."""

    reason: Reason
    message: str
    status: int | None


@dataclass(slots=True)
class HistoryEntry:
    """One model call: what was asked, what came, and what it took. Not to be changed once it is made."""

    # Not frozen: one is made for every call, and a frozen dataclass takes three times as long to make.
    id: str
    parent_id: str | None
    """The id of the program run that made the call; None for a bare model call."""
    at: datetime
    """When it began, UTC."""
    program: str
    """The path of the program that asked, such as `Answerer.search`; empty for a bare model call."""
    model: str
    provider: str
    request: Request
    response: Response | None
    """None when the call failed."""
    usage: Usage
    """What this call spent: nothing for a cache hit."""
    cost: float | None
    """US dollars that this call spent; None when the price is unknown, as it is when a request was sent and given up."""
    latency: float
    """Seconds, from the call to its answer."""
    first_token: float | None
    """Seconds until the first piece of a streamed reply; None for a reply that came whole."""
    attempts: tuple[Attempt, ...]
    """What was sent, in order; empty for a cache hit."""
    cache: CacheState
    error: Failure | None
    """Why it failed; a call that was cancelled has the reason `timeout`, and any exception that is no `LMError` the
    reason `unexpected_result`."""


Collector: TypeAlias = Callable[[HistoryEntry], None]
"""Anything that takes entries: a list's `append`, a function that writes a line."""
