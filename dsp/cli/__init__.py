"""The command line: `dsp run`, `dsp render` and `dsp demo`."""

from dsp.cli.commands import main

__all__ = ["main"]
