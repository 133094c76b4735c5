"""Screen 3: the type checker on the demo's own programs, as they are and with mistakes in them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

import dsp
from dsp.cli.demo import programs
from dsp.cli.demo.mistakes import planted
from dsp.cli.demo.section import Section, opened

if TYPE_CHECKING:
    from rich.console import Console

    from dsp.cli.demo.mistakes import Mistake

__all__ = ["check"]

FOUND = re.compile(r"^[^:]+:(?P<line>\d+)(?::\d+)?: error: (?P<message>.*)$", re.MULTILINE)
OPTIONS = (
    "--strict",
    "--config-file=",
    "--follow-imports=silent",
    "--no-pretty",
    "--no-color-output",
    "--no-error-summary",
)


def check(console: Console) -> Section:
    """Run mypy on the programs of the demo, then on a copy with six mistakes, and show what it says beside each."""
    about = "mypy --strict reads the programs of the two screens before: as they are, and with six mistakes put in."
    with opened(console, 3, "The checker at work", about) as section:
        if find_spec("mypy") is None:
            console.print("mypy is not installed here: pip install mypy, and run the demo again to see this screen.")
            return section
        source = Path(programs.__file__).read_text(encoding="utf-8")
        wrong, places = planted(source)
        with TemporaryDirectory() as folder:
            before = _mypy(Path(folder), "programs.py", source)
            after = _mypy(Path(folder), "mistakes.py", wrong)
        lines = len(source.splitlines())
        clean = not before.strip()
        console.print(
            Text.assemble(
                f"programs.py, {lines} lines: ", ("no errors" if clean else before.strip(), "green" if clean else "red")
            )
        )
        console.print()
        _show(console, wrong.splitlines(), places, after)
    return section


def _show(console: Console, lines: list[str], places: dict[int, Mistake], report: str) -> None:
    found: dict[int, list[str]] = {}
    for error in FOUND.finditer(report):
        found.setdefault(int(error["line"]), []).append(error["message"])
    table = Table.grid(padding=(0, 1))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column()
    for line, mistake in places.items():
        table.add_row(f"{line:>4}", Text(lines[line - 1].strip(), style="bold"))
        for message in found.get(line, ["mypy says nothing."]):
            table.add_row("", Text(message, style="red"))
        table.add_row("", Text(f"({mistake.what})", style="dim"))
    console.print(table)
    caught = len(places.keys() & found.keys())
    others = sum(len(each) for line, each in found.items() if line not in places)
    console.print()
    console.print(f"{caught} of {len(places)} mistakes found; {others or 'no'} errors anywhere else.")
    if not found:
        console.print(Text(report.strip(), style="red"))  # mypy itself failed, and says why


def _mypy(folder: Path, name: str, source: str) -> str:
    (folder / name).write_text(source, encoding="utf-8")
    environment = dict(os.environ)
    root = Path(dsp.__file__).parents[1]
    if root.name not in ("site-packages", "dist-packages"):  # a checkout: mypy may not know where it is
        environment["MYPYPATH"] = str(root)
    command = [sys.executable, "-m", "mypy", *OPTIONS, "--cache-dir", str(folder / "cache"), name]
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    return ended.stdout + ended.stderr
