"""What every test stands on: no settings, no keys, no network but loopback, and the same examples on CI every time."""

from __future__ import annotations

import os
import re
import socket
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from dsp.settings import reset

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Two shared cores make single examples slow at times: the limit is on the test, not on the example. The autouse fixture
# below is for the whole test and holds no state of an example.
hypothesis_settings.register_profile("dsp", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.register_profile("ci", hypothesis_settings.get_profile("dsp"), derandomize=True)
hypothesis_settings.load_profile("ci" if os.environ.get("CI") else "dsp")

SETS_SOMETHING = re.compile(r"DSP_\w+|\w+_API_(?:KEY|BASE)|OPENAI_\w+|LITELLM_\w+|\w*_PROXY|\w*_proxy")
"""Variables of the developer's own shell that would change what a test sees."""

HERE = {"localhost", "127.0.0.1", "::1", "0.0.0.0", "", None}

_true_getaddrinfo = socket.getaddrinfo


def _only_loopback(host: str | bytes | None, *args: object, **kwargs: object) -> list[object]:
    """Look up a name as a machine without a network would: nobody but localhost is known."""
    name = host.decode() if isinstance(host, bytes) else host
    if name in HERE or re.fullmatch(r"[\d.]+|[0-9a-fA-F:]+", name or ""):
        return _true_getaddrinfo(host, *args, **kwargs)  # type: ignore[arg-type,return-value]  # passed on as it came
    raise socket.gaierror(socket.EAI_NONAME, f"tests look up no name but localhost, and this is {name}")


@pytest.fixture(autouse=True)
def clean_slate(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test starts and ends with dsp as it was imported, and without the shell's settings and keys."""
    for name in list(os.environ):
        if SETS_SOMETHING.fullmatch(name):
            monkeypatch.delenv(name)
    monkeypatch.setattr(socket, "getaddrinfo", _only_loopback)
    reset()
    yield
    reset()


@pytest.fixture(scope="session")
def checkout(pytestconfig: pytest.Config) -> Path:
    """The folder that holds pyproject.toml."""
    return pytestconfig.rootpath
