from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from dsp.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SHOP = '''
from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

import dsp
from pydantic import AliasChoices, BaseModel, Field
from dsp.testing import ScriptedLM

print("a module may print when it is imported")


class Team(Enum):
    BILLING = "billing"
    SUPPORT = "support"


class Ticket(BaseModel):
    subject: str
    body: str = Field(default="", description="what the customer wrote")


class Triage(BaseModel):
    team: Team
    note: str


REPLY = "[[ ## team ## ]]\\nbilling\\n\\n[[ ## note ## ]]\\nmoney\\n\\n[[ ## completed ## ]]"

triage = dsp.Predict[Ticket, Triage]("Route a ticket.", lm=ScriptedLM([REPLY] * 9))
unset = dsp.Predict[Ticket, Triage]("Route a ticket.")
garbled = dsp.Predict[Ticket, Triage]("Route a ticket.", lm=ScriptedLM(["I would not know."] * 9))
by_keyword = triage.taking(Ticket)
many = triage.map()


@dsp.lm_function
def route(subject: str, urgent: bool = False) -> Triage:
    """Route a ticket."""
    raise NotImplementedError


@dsp.program
def shout(text: str) -> str:
    print("a program may print when it runs")
    return text.upper()


@dsp.program
async def next_number(number: int) -> int:
    return number + 1


@dsp.program
def echo(anything):
    return anything


@dsp.program
def money(_: int) -> dict[str, Any]:
    return {"price": Decimal("1.50"), "team": Team.BILLING, "unknown": float("nan"), "name": "Zoë"}


@dsp.program
def not_json(_: int) -> object:
    return object()


@dsp.program
def broken(text: str) -> str:
    raise ZeroDivisionError("a slip in the user's own code")


@dsp.program
def interrupted(text: str) -> str:
    raise KeyboardInterrupt


class Shop(dsp.Program[Ticket, Triage]):
    held = triage

    def __init__(self) -> None:
        self.main = triage
        self.by_team = {"billing": [dsp.Predict[Ticket, Triage]("Bill.")]}

    async def forward(self, inputs: Ticket) -> Triage:
        return await self.main.acall(inputs)


class Needs(dsp.Program[str, str]):
    def __init__(self, word: str) -> None:
        self.word = word


def make() -> dsp.Program[Ticket, Triage]:
    return Shop()


def make_nothing() -> int:
    return 3


def plain(text: str) -> str:
    return text


pipeline = Shop() >> (lambda triage: triage.team)
fan = triage & triage
joined = fan.join(lambda a, b: f"{a.team.value}, {b.team.value}")


@dataclass
class Box:
    width: int
    height: int


@dsp.program
def area(box: Box) -> int:
    return box.width * box.height


class Aliased(BaseModel):
    first_name: str = Field(alias="first-name")


class Choices(BaseModel):
    first_name: str = Field(validation_alias=AliasChoices("given", "first"))


class Open(BaseModel, extra="allow"):
    a: int


by_alias = dsp.program(lambda person: person.first_name)
by_alias.fn.__annotations__["person"] = Aliased
by_choice = dsp.program(lambda person: person.first_name)
by_choice.fn.__annotations__["person"] = Choices


@dsp.program
def open_model(given: Open) -> list[str]:
    return list(given.model_extra)


@dsp.program
def unsaid(given: NoSuchType) -> Any:
    return given


class Untyped(dsp.Program):
    def forward(self, inputs: int) -> int:
        return inputs


class Opaque:
    pass


@dsp.program
def opaque(given: Opaque) -> str:
    return "never"

either = triage | unset
number = 7
'''


@dataclass
class Ended:
    """What a command left behind."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a user's module `shop.py`, to stand in."""
    (tmp_path / "shop.py").write_text(SHOP, encoding="utf-8")
    (tmp_path / "latin.json").write_bytes('{"subject": "Zoë"}'.encode("latin-1"))
    monkeypatch.chdir(tmp_path)
    path, modules = list(sys.path), set(sys.modules)
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]


@pytest.fixture
def cli(shop: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ended]:
    """Run a command in this process."""

    def run(*arguments: str, stdin: str = "") -> Ended:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        stdout, stderr = capfd.readouterr()
        return Ended(int(ended.value.code or 0), stdout, stderr)

    return run


@pytest.fixture
def process(shop: Path) -> Callable[..., Ended]:
    """Run a command as a process of its own."""

    def run(*arguments: str, stdin: str = "", **variables: str) -> Ended:
        ended = subprocess.run(
            [sys.executable, "-m", "dsp", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env={**os.environ, **variables},
            cwd=shop,
            check=False,
            encoding="utf-8",
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    return run
