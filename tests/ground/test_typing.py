"""The static tests in tests/typing: `make typecheck` checks them, and here the code in them runs.

What a checker has to refuse stands there below `if TYPE_CHECKING:`, each line with the coded ignore of both checkers. An
ignore that is not needed is an error, so a mistake that one of the two no longer finds fails `make typecheck`.
"""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

FILES = sorted((Path(__file__).parents[1] / "typing").glob("*.py"))
MYPY = re.compile(r"# type: ignore\[[\w, -]+\]")
PYRIGHT = re.compile(r"# pyright: ignore\[\w[\w, ]+\]")


def lines_with(pattern: re.Pattern[str], text: str) -> set[int]:
    return {number for number, line in enumerate(text.splitlines(), 1) if pattern.search(line)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_the_checkers_read_also_runs(path: Path) -> None:
    runpy.run_path(str(path), run_name=path.stem)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_planted_mistake_is_one_for_both_checkers(path: Path) -> None:
    text = path.read_text()
    planted = lines_with(MYPY, text)
    assert planted, f"{path.name} plants no mistake"
    assert planted == lines_with(PYRIGHT, text)
    # An ignore without a code would hide whatever else goes wrong on its line.
    assert planted == {number for number, line in enumerate(text.splitlines(), 1) if "ignore" in line}
