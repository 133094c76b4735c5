"""What a program gave, as JSON on stdout or in a file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import typer
from pydantic_core import PydanticSerializationError, to_json

import dsp
from dsp.cli.exits import WrongUsage

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["as_json", "check_place", "write"]


class NotJSON(dsp.RunError):
    """The program ran, and what it gave cannot be written as JSON."""


def as_json(output: object) -> bytes:
    """Models, dataclasses, sequences and plain values as indented JSON. `nan` and `inf` become strings.

    Raises:
        NotJSON: A value that JSON has no form for.
    """
    try:
        return to_json(output, indent=2, inf_nan_mode="strings") + b"\n"
    except PydanticSerializationError as error:
        raise NotJSON(
            f"The program gave a {type(output).__name__} that cannot be written as JSON: {error}. "
            "Let its last step give a Pydantic model."
        ) from error


def check_place(path: Path | None) -> None:
    """See that a result can be kept, before anything is spent on it.

    Raises:
        WrongUsage: It cannot be written there.
    """
    if path is None:
        return
    if path.is_dir() or not path.parent.is_dir():
        what = "is a folder" if path.is_dir() else f"lies in {str(path.parent)!r}, which is no folder"
        raise WrongUsage(f"--output {str(path)!r} {what}: name a file in a folder that exists.")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise WrongUsage(f"--output {str(path)!r} may not be written: name another file.")


def write(data: bytes, path: Path | None) -> None:
    """Put a result where it belongs."""
    if path is None:
        typer.echo(data, nl=False)
    else:
        path.write_bytes(data)
