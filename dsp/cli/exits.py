"""How a command ends: the exit codes, and errors as text that says the way out.

| code | meaning |
|---|---|
| 0 | all well |
| 1 | the run failed |
| 2 | wrong usage: an option, the input, a setting |
| 3 | the target cannot be imported, or is no program |
| 4 | no model, or no key for it |
| 130 | interrupted |
"""

from __future__ import annotations

import importlib
import traceback
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING

import typer

import dsp

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["Code", "TargetError", "WrongUsage", "code_of", "reported", "trace_of"]


class Code(IntEnum):
    """What the shell is told."""

    OK = 0
    FAILED = 1
    USAGE = 2
    TARGET = 3
    NO_MODEL = 4
    INTERRUPTED = 130


class TargetError(dsp.UsageError):
    """`MODULE:NAME` leads to no program."""


class WrongUsage(dsp.UsageError):
    """An option that does not fit the program."""


DSP = str(Path(__file__).parents[1])
"""The folder of dsp's own code."""

CODES: tuple[tuple[type[dsp.DspError], Code], ...] = (
    (TargetError, Code.TARGET),
    (WrongUsage, Code.USAGE),
    (dsp.InputError, Code.USAGE),
    (dsp.SettingsError, Code.USAGE),
    (dsp.NotConfigured, Code.NO_MODEL),
    (dsp.UnsupportedProvider, Code.NO_MODEL),
    (dsp.Authentication, Code.NO_MODEL),
)


def code_of(error: dsp.DspError) -> Code:
    """The code that an error ends the process with."""
    return next((code for kind, code in CODES if isinstance(error, kind)), Code.FAILED)


@contextmanager
def reported() -> Generator[None]:
    """Turn errors and Ctrl-C into text on stderr and an exit code; a programmer's error is shown with its traceback."""
    try:
        yield
    except dsp.DspError as error:
        typer.echo(_text_of(error), err=True)
        raise typer.Exit(code_of(error)) from None
    except KeyboardInterrupt:
        typer.echo("Interrupted.", err=True)
        raise typer.Exit(Code.INTERRUPTED) from None
    except BrokenPipeError:  # whoever read stdout has seen enough; typer ends the process quietly
        raise
    except Exception as error:  # noqa: BLE001 - whatever a user's code raises is shown whole
        typer.echo(trace_of(error), err=True)
        raise typer.Exit(Code.FAILED) from None


def trace_of(error: Exception) -> str:
    """An error as Python shows it, from the user's own lines on."""
    frames = error.__traceback__
    while frames is not None and _leads_to_user(frames.tb_frame.f_code.co_filename):
        frames = frames.tb_next
    if frames is None and not isinstance(error, SyntaxError):  # that one tells its place itself
        frames = error.__traceback__
    return "".join(traceback.format_exception(type(error), error, frames)).rstrip()


def _leads_to_user(file: str) -> bool:
    return file.startswith((DSP, "<frozen importlib")) or file == importlib.__file__


def _text_of(error: dsp.DspError) -> str:
    lines = [f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())]
    if isinstance(error, dsp.RunError) and error.usage.total_tokens:
        cost = "" if not error.cost else f", ${error.cost:.4f}"
        calls = "1 call" if len(error.calls) == 1 else f"{len(error.calls)} calls"
        lines.append(f"Spent until then: {calls}, {error.usage.total_tokens} tokens{cost}.")
    return "\n".join(lines)
