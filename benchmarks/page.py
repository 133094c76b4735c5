"""Writes the table between the markers of docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.measure import Measured, Verdict

__all__ = ["lines", "write"]

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
BEGIN, END = "<!-- begin: written by make bench -->", "<!-- end: written by make bench -->"
HEAD = ("| what | dsp | beside | ratio (lowest to highest round) | at most | holds |", "|---|---|---|---|---|---|")


def lines(measured: Measured) -> list[str]:
    """The lines of a row: one for each limit."""
    return [_line(measured, verdict, first=i == 0) for i, verdict in enumerate(measured.verdicts)]


def write(rows: Sequence[Measured], versions: Mapping[str, str], day: str) -> None:
    """Put the run into the page."""
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    where = f"{os.cpu_count()} cores, {platform.system()} on {platform.machine()}"
    missed = [measured.row.name for measured in rows if not measured.kept]
    told = f"Missed: {', '.join(missed)}." if missed else "Every bound holds."
    table = [*HEAD, *(line for measured in rows for line in lines(measured))]
    text = "\n".join((BEGIN, "", f"Measured on {day}: {named}; {where}. {told}", "", *table, "", END))
    PAGE.write_text(before + text + after, encoding="utf-8")


def _line(measured: Measured, verdict: Verdict, *, first: bool) -> str:
    unit, limit = measured.row.unit, verdict.limit
    ours = f"{_short(measured.medians['dsp'])} {unit}"
    holds = "yes" if verdict.kept and not (first and measured.wrong) else "**no**"
    what = measured.row.what if first else "the same"
    if limit.against is None:
        spread = "" if verdict.low == verdict.high else f"({_short(verdict.low)} to {_short(verdict.high)} {unit})"
        return f"| {what} | {ours} | | {spread} | {_short(limit.at_most)} {unit} | {holds} |"
    theirs = f"{limit.against} {_short(measured.medians[limit.against])} {unit}"
    ratio = f"{verdict.value:.2f} ({verdict.low:.2f} to {verdict.high:.2f})"
    return f"| {what} | {ours} | {theirs} | {ratio} | {limit.at_most:.2f} | {holds} |"


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
