"""The last calls of this process."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING, cast

from dsp import settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dsp.tracing.entry import Collector, HistoryEntry

__all__ = ["history", "inspect_history", "remember"]

DEFAULT_SIZE = 100
_ring: deque[HistoryEntry] | None = None


def remember(entry: HistoryEntry) -> None:
    """Keep an entry, and hand it to the collectors. A collector that fails is logged and the call goes on."""
    _kept().append(entry)
    collectors = cast("Sequence[Collector] | None", settings.setting("collectors"))  # checked by configure
    for collect in collectors or ():
        try:
            collect(entry)
        except Exception:
            logging.getLogger("dsp").exception("The collector %r failed; the call goes on.", collect)


def history(n: int | None = None) -> Sequence[HistoryEntry]:
    """The last `n` model calls of this process, oldest first; all that are kept (`DSP_HISTORY_SIZE`) without `n`."""
    kept = list(_kept())
    return kept if n is None else kept[-n:] if n > 0 else []


def inspect_history(n: int = 1) -> None:
    """Show the last `n` calls on the terminal: who asked, every message, the reply, what it took."""
    from dsp.tracing.show import show

    show(history(n))


def _kept() -> deque[HistoryEntry]:
    global _ring  # noqa: PLW0603 - made when the first call ends, so that the environment is read then
    if _ring is None:
        _ring = deque(maxlen=settings.whole_number("DSP_HISTORY_SIZE", DEFAULT_SIZE))
    return _ring


def _forget() -> None:
    global _ring  # noqa: PLW0603 - as above
    _ring = None


def _resize() -> None:
    global _ring  # noqa: PLW0603 - as above
    if _ring is not None:
        _ring = deque(_ring, maxlen=settings.whole_number("DSP_HISTORY_SIZE", DEFAULT_SIZE))


settings.on_reset(_forget, _resize)
