"""stdout for results alone: whatever else is printed on the way goes to stderr."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["stdout_kept_clean"]


@contextmanager
def stdout_kept_clean() -> Generator[None]:
    """Send to stderr what is printed inside: by a user's module, by a library, by a process that either starts."""
    with redirect_stdout(sys.stderr), _descriptor_redirected():
        yield


@contextmanager
def _descriptor_redirected() -> Generator[None]:
    # Not everything that prints asks `sys.stdout` where to.
    try:
        kept = os.dup(1)
    except OSError:  # there is no stdout to keep clean
        yield
        return
    try:
        _flush()
        os.dup2(2, 1)
        yield
    finally:
        _flush()
        os.dup2(kept, 1)
        os.close(kept)


def _flush() -> None:
    if sys.__stdout__ is not None:
        sys.__stdout__.flush()
