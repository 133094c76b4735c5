"""The order of the rooms holds, and the checker that holds it is awake."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [program, "--no-cache"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def copy(checkout: Path, tmp_path: Path) -> Path:
    shutil.copytree(checkout / "dsp", tmp_path / "dsp", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(checkout / "pyproject.toml", tmp_path)
    return tmp_path


def test_no_room_imports_from_a_room_above_it(copy: Path) -> None:
    found = lint_imports(copy)
    assert found.returncode == 0, found.stdout + found.stderr


def test_an_import_of_a_room_above_is_caught(copy: Path) -> None:
    with (copy / "dsp" / "usage.py").open("a") as usage:
        usage.write("\nimport dsp.messages\n")
    found = lint_imports(copy)
    assert found.returncode == 1
    assert "dsp.usage is not allowed to import dsp.messages" in found.stdout


def test_a_room_that_the_order_does_not_name_is_caught(copy: Path) -> None:
    (copy / "dsp" / "attic.py").write_text('"""A room that nobody gave a place."""\n')
    found = lint_imports(copy)
    assert found.returncode == 1
    assert "dsp.attic" in found.stdout
