"""Screen 4: what it all cost, and how to run it on another model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

import dsp
from dsp.cli.demo.section import opened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from dsp.cli.demo.section import Section

__all__ = ["add_up"]


def add_up(console: Console, lm: dsp.LM, sections: Sequence[Section]) -> None:
    """Show calls, cache hits, tokens, time and money of each screen and of all."""
    with opened(console, 4, "What it cost", f"Counted by dsp.track() around each screen; the model is {lm.model}."):
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("", no_wrap=True)
        for heading in ("calls", "hits", "tokens read", "written", "time", "US $"):
            table.add_column(heading, justify="right")
        total = _row_of_all(sections)
        for section in (*sections, total):
            usage = section.usage
            table.add_row(
                section.name,
                f"{len(section.calls):,}",
                f"{section.hits:,}",
                f"{usage.prompt_tokens:,}",
                f"{usage.completion_tokens:,}",
                f"{section.seconds:.1f} s",
                "unknown" if section.cost is None else f"{section.cost:.4f}" if section.cost else "0",
                end_section=section is sections[-1],
            )
        console.print(table)
    if lm.model == "embedded":
        console.print("The embedded model is a small baseline that knows nothing but the prompt. On a real one:")
    else:
        console.print("On another model, which LiteLLM knows:")
    console.print()
    for line in ("export OPENAI_API_KEY=...", "export DSP_MODEL=openai/gpt-4o-mini", "dsp demo"):
        console.print(Text(f"    {line}", style="bold"))
    console.print()


def _row_of_all(sections: Sequence[Section]) -> Section:
    from dsp.cli.demo.section import Section

    calls = [call for section in sections for call in section.calls]
    return Section("all", calls, sum(section.seconds for section in sections))
