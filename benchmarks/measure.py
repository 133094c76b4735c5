"""Runs the cases of a row in turn, each in a fresh process, and weighs the figures."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.environment import PYTHON
from benchmarks.rows import Limit, Row

__all__ = ["Measured", "Verdict", "measure"]

CASES = Path(__file__).parent / "cases"
LONGEST = 1_800.0
"""Seconds after which a case is given up."""


@dataclass(frozen=True)
class Verdict:
    """dsp beside one limit."""

    limit: Limit
    value: float
    """The ratio of the medians, or the median itself for an absolute limit."""
    low: float
    high: float
    """The smallest and the largest of the single rounds."""

    @property
    def kept(self) -> bool:
        """Whether the limit holds."""
        return self.value <= self.limit.at_most


@dataclass(frozen=True)
class Measured:
    """A row with its figures."""

    row: Row
    medians: Mapping[str, float]
    verdicts: tuple[Verdict, ...]
    wrong: str
    """A fault that no figure shows; empty when there is none."""

    @property
    def kept(self) -> bool:
        """Whether every limit holds and nothing else is wrong."""
        return not self.wrong and all(verdict.kept for verdict in self.verdicts)


def measure(row: Row, environment: Mapping[str, str], *, quick: bool = False) -> Measured:
    """The figures of a row: A B A B ..., so that a slow minute of the machine meets all sides."""
    rounds: list[dict[str, float]] = []
    wrong = ""
    for _ in range(min(row.rounds, 2) if quick else row.rounds):
        seen: dict[str, float] = {}
        for case in row.cases:
            command = [str(PYTHON), str(CASES / f"{case.script}.py"), *case.arguments]
            done = subprocess.run(
                command, env=dict(environment), capture_output=True, text=True, timeout=LONGEST, check=False
            )
            if done.returncode:
                raise SystemExit(f"{row.name}: {' '.join(command[1:])} failed:\n{done.stdout}{done.stderr}")
            told = json.loads(done.stdout.splitlines()[-1])
            seen.update(told["figures"])
            wrong = wrong or told["wrong"]
        rounds.append(seen)
    medians = {column: median(seen[column] for seen in rounds) for column in rounds[0]}
    return Measured(row, medians, tuple(_verdict(limit, medians, rounds) for limit in row.limits), wrong)


def _verdict(limit: Limit, medians: Mapping[str, float], rounds: list[dict[str, float]]) -> Verdict:
    def of(figures: Mapping[str, float]) -> float:
        return figures["dsp"] / (1.0 if limit.against is None else figures[limit.against])

    single = [of(figures) for figures in rounds]
    return Verdict(limit, of(medians), min(single), max(single))
