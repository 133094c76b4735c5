"""The demo from beginning to end."""

from __future__ import annotations

import os
import sys

from rich.console import Console
from rich.text import Text

import dsp
from dsp.cli.demo.asking import ask
from dsp.cli.demo.bill import add_up
from dsp.cli.demo.checking import check
from dsp.cli.demo.guessing import guess

__all__ = ["show"]

WIDEST = 100
FEW = 40
"""Rows of the second screen on a model that takes its time."""


def show(model: str | None = None, *, console: Console | None = None, most_rows: int | None = None) -> None:
    """Show the four screens.

    Args:
        model: The model's name; without it the one of `DSP_MODEL`, and without that the embedded one.
        console: Where to; without it, stdout.
        most_rows: How many rows the second screen asks about; without it, all on the embedded model and 40 on others.

    Raises:
        NotConfigured: There is no key for the model.
        RunError: The model failed.
    """
    console = console or _stdout()
    base_url = None
    if model is None:
        model = os.environ.get("DSP_MODEL") or "embedded"
        base_url = os.environ.get("DSP_BASE_URL") or None
    lm = dsp.LM(model, base_url=base_url, cache=dsp.MemoryCache())
    uncached = dsp.LM(model, base_url=base_url, cache=False)
    if most_rows is None and model != "embedded":
        most_rows = FEW
    where = "offline, without a key" if model == "embedded" else "every call goes to its provider"
    console.print(Text(f"dsp {dsp.__version__} on the model {model}: {where}."))
    sections = (ask(console, lm), guess(console, uncached, most=most_rows), check(console))
    add_up(console, lm, sections)


def _stdout() -> Console:
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")  # a terminal that lacks a sign shows another in its place
    console = Console(highlight=False)
    console.width = min(console.width, WIDEST)
    return console
