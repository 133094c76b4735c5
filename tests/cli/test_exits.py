"""Every way in which a command ends: its code, and the text that says what to do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import dsp
from dsp.cli.exits import Code, code_of
from dsp.testing import OpenAIServer
from dsp.testing.server import Failure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Ended

TICKET = '{"subject": "Invoice"}'


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("run", "shop:garbled", "-i", TICKET), 1, "ParseError"),
        (("run", "shop:not_json", "-i", "1"), 1, "cannot be written as JSON"),
        (("run", "shop:broken", "-i", "x"), 1, "ZeroDivisionError: a slip in the user's own code"),
        (("run", "shop:triage"), 2, "--input"),
        (("run", "shop:triage", "-i", TICKET, "--colour", "red"), 2, "--colour"),
        (("fly",), 2, "fly"),
        (("run", "shop", "-i", TICKET), 2, "write MODULE:NAME"),
        (("run", "shop:triage", "-i", "{"), 2, "not JSON"),
        (("run", "shop:triage", "-i", ""), 2, "not JSON"),
        (("run", "shop:triage", "-i", "[]"), 2, "no `Ticket`"),
        (("run", "shop:triage", "-i", '{"body": "x"}'), 2, "`subject`: Field required"),
        (("run", "shop:triage", "-i", '{"subject": 5}'), 2, "`subject`: Input should be a valid string, got 5"),
        (("run", "shop:triage", "-i", '{"subjct": "x"}'), 2, "did you mean `subject`?"),
        (("run", "shop:many", "-i", TICKET), 2, "Input should be a valid"),
        (("run", "shop:next_number", "-i", '"x"'), 2, "valid integer"),
        (("run", "shop:triage", "-i", "@none.json"), 2, "'none.json': No such file"),
        (("run", "shop:opaque", "-i", "1"), 2, "`Opaque`, which cannot be made of JSON"),
        (("run", "shop:by_choice", "-i", "1"), 2, "no `Choices`"),
        (("run", "shop:triage", "-i", "@latin.json"), 2, "not UTF-8"),
        (("run", "shop:shout", "-i", "x", "-o", "locked/out.json"), 2, "no folder"),
        (("render", "shop:triage", "-i", TICKET, "--adapter", "morse"), 2, "morse"),
        (("run", "shap:triage", "-i", TICKET), 3, "no module `shap`"),
        (("run", "shop.sub:triage", "-i", TICKET), 3, "shop.sub"),
        (("run", "none.py:triage", "-i", TICKET), 3, "no file 'none.py'"),
        (("run", "shop:triag", "-i", TICKET), 3, "Did you mean `triage`?"),
        (("run", "shop:zzz", "-i", TICKET), 3, "Its programs: triage, unset"),
        (("run", "shop:number", "-i", TICKET), 3, "of type int, no program"),
        (("run", "shop:make_nothing", "-i", TICKET), 3, "of type int, no program"),
        (("run", "shop:Team", "-i", TICKET), 3, "no program"),
        (("run", "shop:Needs", "-i", "x"), 3, "needs `word`"),
        (("run", "shop:plain", "-i", "x"), 3, "write `@dsp.program` above it"),
        (("run", "shop:unset", "-i", TICKET), 4, "DSP_MODEL"),
        (("run", "shop:unset", "-i", TICKET, "--lm", "openai/gpt-4o-mini"), 4, "OPENAI_API_KEY"),
        (("run", "shop:unset", "-i", TICKET, "--lm", "opnai/gpt-4o-mini"), 4, "opnai"),
        (("run", "shop:unset", "-i", TICKET, "--lm", "gpt-4o-mini"), 4, "openai/gpt-4o-mini"),
        (("demo", "--lm", "openai/gpt-4o-mini"), 4, "OPENAI_API_KEY"),
        (("run", "shop:interrupted", "-i", "x"), 130, "Interrupted."),
    ],
)
def test_a_command_ends_with_its_code_and_says_why(
    cli: Callable[..., Ended], arguments: tuple[str, ...], code: int, says: str
) -> None:
    ended = cli(*arguments)
    assert ended.code == code, ended.stderr
    assert says in " ".join(ended.stderr.split())
    if arguments[0] != "demo":
        assert ended.stdout == ""
    assert ("Traceback" in ended.stderr) == ("shop:broken" in arguments)


@pytest.mark.parametrize(
    ("source", "says", "traced"),
    [
        ("import nothing_of_this_name", "No module named 'nothing_of_this_name'", True),
        ("1 / 0", "division by zero", True),
        ("def (", "SyntaxError", False),
        ("import dsp\nprogram = dsp.Predict()", "SignatureError: `Predict` does not know its types", False),
        ("raise SystemExit(7)", "ended the process when it was imported, with 7", False),
    ],
)
def test_a_module_that_cannot_be_imported_is_shown(
    cli: Callable[..., Ended], shop: Path, source: str, says: str, traced: bool
) -> None:
    (shop / "faulty.py").write_text(source)
    for target in ("faulty:program", "faulty.py:program"):
        ended = cli("run", target, "-i", "1")
        assert ended.code == 3
        assert says in ended.stderr
        assert ("Traceback" in ended.stderr) == traced
        assert "importlib" not in ended.stderr, "the user's own lines are what helps"


def test_a_factory_that_fails_is_shown(cli: Callable[..., Ended], shop: Path) -> None:
    (shop / "factory.py").write_text("def make():\n    return 1 / 0\n")
    ended = cli("run", "factory:make", "-i", "1")
    assert ended.code == 3
    assert "return 1 / 0" in ended.stderr


def test_an_error_tells_what_was_spent(cli: Callable[..., Ended]) -> None:
    assert "Spent until then: 3 calls," in cli("run", "shop:garbled", "-i", TICKET).stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (dsp.InputError("x"), Code.USAGE),
        (dsp.SettingsError("x"), Code.USAGE),
        (dsp.NotConfigured("x"), Code.NO_MODEL),
        (dsp.Authentication("x"), Code.NO_MODEL),
        (dsp.UnsupportedProvider("x"), Code.NO_MODEL),
        (dsp.RateLimited("x"), Code.FAILED),
        (dsp.DeadlockError("x"), Code.FAILED),
    ],
)
def test_errors_have_codes(error: dsp.DspError, code: Code) -> None:
    assert code_of(error) is code


def test_a_wrong_setting_is_wrong_usage(cli: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSP_TIMEOUT", "soon")
    ended = cli("run", "shop:triage", "-i", TICKET)
    assert ended.code == 2
    assert "DSP_TIMEOUT" in ended.stderr


def test_the_codes_reach_the_shell(process: Callable[..., Ended]) -> None:
    codes = [
        process("run", target, "-i", "x").code for target in ("shop:shout", "shop:broken", "shop:triage", "shop:zzz")
    ]
    assert codes == [0, 1, 2, 3]


def test_ctrl_c_ends_a_run_with_130(shop: Path) -> None:
    (shop / "slow.py").write_text(
        "import asyncio, sys, dsp\n"
        "@dsp.program\n"
        "async def slow(text: str) -> str:\n"
        "    print('running', flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "    return text\n"
    )
    command = [sys.executable, "-m", "dsp", "run", "slow:slow", "-i", "x"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=shop) as started:
        assert started.stderr is not None
        assert started.stderr.readline() == "running\n"
        started.send_signal(signal.SIGINT)
        stdout, stderr = started.communicate(timeout=20)
    assert (started.returncode, stdout) == (130, "")
    assert "Interrupted." in stderr
    assert "Traceback" not in stderr


LITELLM = """
import dsp
from pydantic import BaseModel

class Question(BaseModel):
    text: str

class Answer(BaseModel):
    text: str

lm = dsp.LM("hosted_vllm/some-model", retry=dsp.Retry(base=0.01))
answer = dsp.Predict[Question, Answer]("Answer.", lm=lm)
"""
ANSWER = "[[ ## text ## ]]\nParis\n\n[[ ## completed ## ]]"


def test_a_failing_litellm_model_leaves_stdout_clean(process: Callable[..., Ended], shop: Path) -> None:
    (shop / "vllm.py").write_text(LITELLM)
    arguments = ("run", "vllm:answer", "-i", '{"text": "What is the capital of France?"}')
    with OpenAIServer(Failure(500)) as server:
        failed = process(*arguments, HOSTED_VLLM_API_BASE=server.base_url, HOSTED_VLLM_API_KEY="some-key")
        assert server.count == 4, "four attempts are four requests"
    assert failed.code == 1, failed.stderr
    assert failed.stdout == ""
    assert failed.stderr.startswith("ServerError: ")
    assert "Traceback" not in failed.stderr
    assert "some-key" not in failed.stderr

    with OpenAIServer([Failure(500), Failure(503), ANSWER]) as server:
        mended = process(*arguments, HOSTED_VLLM_API_BASE=server.base_url, HOSTED_VLLM_API_KEY="some-key")
        assert server.count == 3
    assert mended.code == 0, mended.stderr
    assert json.loads(mended.stdout) == {"text": "Paris"}


def test_a_refused_key_is_no_model(process: Callable[..., Ended], shop: Path) -> None:
    (shop / "vllm.py").write_text(LITELLM)
    with OpenAIServer(Failure(401)) as server:
        ended = process(
            "run", "vllm:answer", "-i", '{"text": "x"}', HOSTED_VLLM_API_BASE=server.base_url, HOSTED_VLLM_API_KEY="k"
        )
    assert ended.code == 4, ended.stderr
    assert ended.stdout == ""


@pytest.mark.skipif(os.name == "nt", reason="needs a shell with pipes that break")
def test_a_reader_that_has_seen_enough_is_no_error(shop: Path) -> None:
    (shop / "long.py").write_text(
        "import dsp\n@dsp.program\ndef long(n: int) -> list[int]:\n    return list(range(n))\n"
    )
    ended = subprocess.run(
        f"'{sys.executable}' -m dsp run long:long -i 200000 | head -n 1",
        shell=True,
        capture_output=True,
        text=True,
        cwd=shop,
        check=False,
    )
    assert ended.stdout == "[\n"
    assert "Traceback" not in ended.stderr
