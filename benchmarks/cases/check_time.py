"""Seconds of a cold `mypy --strict` of a small program, with a cache directory of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from shutil import copy
from tempfile import TemporaryDirectory
from time import perf_counter

from timing import asked, report

program = {"dsp": "with_dsp.py", "no dsp": "without_dsp.py"}[asked()]
with TemporaryDirectory() as directory:
    # Away from the checkout, whose settings for mypy are not the user's.
    copy(Path(__file__).parent.parent / "checked" / program, Path(directory) / "program.py")
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", f"{directory}/cache", "program.py"]
    start = perf_counter()
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    took = perf_counter() - start
report({asked(): took}, wrong="" if done.returncode == 0 else f"mypy says: {done.stdout}{done.stderr}")
