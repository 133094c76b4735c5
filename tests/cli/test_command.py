"""The command itself: help, version, both ways to start it."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import dsp
from dsp.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Ended


def test_the_version(cli: Callable[..., Ended]) -> None:
    assert cli("--version").stdout == f"dsp {dsp.__version__}\n"


def test_help_names_every_command_and_the_exit_codes(cli: Callable[..., Ended]) -> None:
    ended = cli("--help")
    assert ended.code == 0
    for word in ("run", "render", "demo", "130 interrupted"):
        assert word in ended.stdout


def test_the_script_and_the_module_are_the_same(process: Callable[..., Ended]) -> None:
    assert process("--version").stdout == f"dsp {dsp.__version__}\n"
    (script,) = [each for each in entry_points(group="console_scripts") if each.name == "dsp"]
    assert script.load() is main
