"""The benchmarks' own environment: the peers at pinned versions, and dsp from a wheel made of this checkout."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

__all__ = ["PYTHON", "clean_environment", "prepare", "resolve", "versions"]

HERE = Path(__file__).parent
ROOT = HERE.parent
VENV = HERE / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
PINS = ROOT / "constraints" / "bench.txt"
PEERS = ("dspy>=3.4", "litellm", "aiohttp", "mypy")
SHOWN = ("dsp", "dspy", "litellm", "aiohttp", "pydantic", "mypy")
"""Whose versions the page states."""


def prepare() -> None:
    """Make the environment, once for each state of the pins; put the checkout's dsp into it, each time."""
    stamp = VENV / "made-of.txt"
    state = hashlib.sha256(PINS.read_bytes() + repr((PEERS, sys.version)).encode()).hexdigest()
    if not stamp.exists() or stamp.read_text() != state:
        print("making benchmarks/.venv", flush=True)
        _run(sys.executable, "-m", "venv", "--clear", str(VENV))
        with TemporaryDirectory() as directory:
            _pip("--constraint", str(PINS), *PEERS, str(_wheel(directory)))
        stamp.write_text(state)
        return
    with TemporaryDirectory() as directory:
        _pip("--no-deps", "--force-reinstall", str(_wheel(directory)))


def resolve() -> None:
    """Find the newest peers that go with the pinned runtime, and write `constraints/bench.txt`."""
    with TemporaryDirectory() as directory:
        _run(sys.executable, "-m", "venv", "--clear", str(VENV))
        _pip("--constraint", str(ROOT / "constraints" / "runtime.txt"), *PEERS, str(_wheel(directory)))
    frozen = _run(str(PYTHON), "-m", "pip", "freeze").splitlines()
    pins = sorted((line for line in frozen if re.fullmatch(r"[\w.-]+==[\w.+!]+", line)), key=str.lower)
    if len(pins) != len(frozen) - 1:  # dsp itself, from a file
        raise SystemExit(f"these lines are no plain pins: {sorted(set(frozen) - set(pins))}")
    head = "# The versions that the benchmarks use: dsp's own runtime and the peers. Written by `python -m benchmarks --resolve`."
    PINS.write_text("\n".join((head, *pins)) + "\n")


def versions() -> dict[str, str]:
    """The versions of dsp and its peers that are measured."""
    code = (
        "import importlib.metadata as m, json, platform;"
        f"print(json.dumps({{'Python': platform.python_version(), **{{n: m.version(n) for n in {SHOWN!r}}}}}))"
    )
    found: dict[str, str] = json.loads(_run(str(PYTHON), "-c", code))
    return found


def clean_environment(scratch: str) -> dict[str, str]:
    """The environment variables of a measuring process: no settings, keys or paths of the user's."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DSP_", "DSPY_", "OPENAI_", "LITELLM_", "PYTHON", "COVERAGE_"))
    }
    # DSPy and LiteLLM would otherwise fetch a price table while they are being measured.
    return {**kept, "DSPY_CACHEDIR": scratch, "LITELLM_LOCAL_MODEL_COST_MAP": "true"}


def _wheel(directory: str) -> Path:
    _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", directory, str(ROOT))
    return next(Path(directory).glob("dsp-*.whl"))


def _pip(*arguments: str) -> None:
    _run(str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout
