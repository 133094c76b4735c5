"""The commands that docs/guides/command-line.md shows do what it shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Ended

CHECKOUT = Path(__file__).parents[2]
PAGE = (CHECKOUT / "docs" / "guides" / "command-line.md").read_text()
SHOWN = re.findall(r"^```console\n\$ dsp (.*?)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(("command", "output"), SHOWN)
def test_a_command_of_the_guide_prints_what_the_guide_shows(
    cli: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch, command: str, output: str
) -> None:
    monkeypatch.chdir(CHECKOUT)
    assert cli(*shlex.split(command)).stdout == output


def test_the_guide_shows_both_commands() -> None:
    assert [command.split()[0] for command, _ in SHOWN] == ["run", "render"]
