"""Calls as a person reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from dsp.tracing.entry import HistoryEntry

__all__ = ["show"]


def show(entries: Sequence[HistoryEntry], console: Console | None = None) -> None:
    """Write calls to the terminal, oldest first."""
    from rich.console import Console

    out = console or Console(highlight=False)
    if not entries:
        out.print("No model has been called in this process.")
    for entry in entries:
        _show_one(entry, out)


def _show_one(entry: HistoryEntry, out: Console) -> None:
    from rich.rule import Rule
    from rich.text import Text

    who = f"{entry.program} → {entry.model}" if entry.program else entry.model
    out.print(Rule(f"{entry.at:%H:%M:%S}  {who}", align="left"))
    for message in entry.request.messages:
        out.print(Text(message.role, style="bold cyan"))
        out.print(Text(message.text))
    if entry.response is not None:
        out.print(Text("reply", style="bold green"))
        if entry.response.thinking:
            out.print(Text(entry.response.thinking, style="dim"))
        out.print(Text(entry.response.text))
    if entry.error is not None:
        out.print(Text(f"{entry.error.reason}: {entry.error.message}", style="bold red"))
    cost = "price unknown" if entry.cost is None else f"${entry.cost:.6f}"
    answered = "from the cache" if entry.cache == "hit" else f"{len(entry.attempts)} attempt(s)"
    out.print(Text(f"{entry.usage.total_tokens} tokens · {cost} · {entry.latency:.3f} s · {answered}", style="dim"))
