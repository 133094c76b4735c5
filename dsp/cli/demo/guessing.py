"""Screen 2: how much examples help, measured on docstrings that the model has not seen."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

import dsp
from dsp.cli.demo.programs import Docstring, Module, is_right, origin
from dsp.cli.demo.rows import halves, in_turn, wilson
from dsp.cli.demo.section import Section, opened

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["DEMOS", "guess"]

DEMOS = (0, 16, 64)
BAR = 24
TITLE = "Whose docstring is this?"


@dsp.program
def unanswered(_row: Docstring) -> None:
    """What stands for a reply that could not be had or read: a wrong one."""
    return


def guess(console: Console, lm: dsp.LM, *, most: int | None) -> Section:
    """Measure the share of right guesses with ever more examples, on at most `most` rows of the test half."""
    learn, test = halves()
    asked = test if most is None else in_turn(test, most)
    if not asked:  # as under `python -OO`
        with opened(console, 2, TITLE, "Docstrings of the standard library.") as section:
            console.print("This Python keeps no docstrings: run the demo without -OO to see this screen.")
        return section
    about = (
        f"{len(learn) + len(test)} docstrings of functions in {len(Module)} modules "
        f"({', '.join(module.value for module in Module)}), names masked: {len(learn)} to take examples from, {len(test)} "
        "to be tested on; near duplicates are on one side."
    )
    if len(asked) < len(test):
        about += f" To save time, {lm.model} is asked about {len(asked)} of these, evenly over the modules."
    with opened(console, 2, TITLE, about) as section, dsp.context(lm=lm):
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("examples", justify="right")
        table.add_column("right", justify="right")
        table.add_column("95 % interval")
        table.add_column("0 %" + " " * (BAR - 8) + "100 %", no_wrap=True)
        table.add_column("a row", justify="right")
        intervals: list[tuple[float, float]] = []
        failed = 0
        for demos in DEMOS:
            started = perf_counter()
            answers = (origin.with_(demos=in_turn(learn, demos)) | unanswered).map()([row.inputs for row in asked])
            seconds = perf_counter() - started
            failed += sum(answer is None for answer in answers)
            right = sum(
                answer is not None and is_right(row, answer) for row, answer in zip(asked, answers, strict=True)
            )
            low, high = wilson(right, len(asked))
            intervals.append((low, high))
            table.add_row(
                str(demos),
                _percent(right / len(asked)),
                f"{_percent(low)} to {_percent(high)}",
                _bar(low, right / len(asked), high),
                f"{seconds / len(asked) * 1000:,.1f} ms",
            )
        console.print(table)
    console.print(Text(_reading(intervals)))
    if failed:
        console.print(Text(f"{failed} replies could not be had or read; they count as wrong.", style="red"))
    return section


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"


def _bar(low: float, share: float, high: float) -> Text:
    """The interval, with the share in it."""
    marks = ["·"] * BAR
    for place in range(round(low * (BAR - 1)), round(high * (BAR - 1)) + 1):
        marks[place] = "─"
    marks[round(share * (BAR - 1))] = "●"
    return Text("".join(marks), style="cyan")


def _reading(intervals: list[tuple[float, float]]) -> str:
    (low, high), (low_last, high_last) = intervals[0], intervals[-1]
    apart = high < low_last or high_last < low
    return (
        f"The intervals of {DEMOS[0]} and {DEMOS[-1]} examples "
        + ("do not overlap: the examples make the difference." if apart else "overlap: more rows would be needed.")
        + f" Guessing blindly would give {_percent(1 / len(Module))}. Nothing is cached here: every row is asked."
    )
