"""`dsp run`: JSON on stdout, everything else on stderr."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Ended

TICKET = '{"subject": "Invoice", "body": "It is too high."}'
ROUTED = {"team": "billing", "note": "money"}


@pytest.mark.parametrize(
    ("target", "given", "expected"),
    [
        ("shop:triage", TICKET, ROUTED),
        ("shop.py:triage", TICKET, ROUTED),
        ("./shop.py:triage", TICKET, ROUTED),
        ("shop:by_keyword", TICKET, ROUTED),
        ("shop:many", f"[{TICKET}, {TICKET}]", [ROUTED, ROUTED]),
        ("shop:Shop", TICKET, ROUTED),
        ("shop:make", TICKET, ROUTED),
        ("shop:pipeline", TICKET, "billing"),
        ("shop:either", TICKET, ROUTED),
        ("shop:Shop.held", TICKET, ROUTED),
        ("shop:joined", TICKET, "billing, billing"),
        ("shop:fan", TICKET, [ROUTED, ROUTED]),
        ("shop:area", '{"width": 2, "height": "3"}', 6),
        ("shop:by_alias", '{"first-name": "Zoë"}', "Zoë"),
        ("shop:by_choice", '{"given": "Zoë"}', "Zoë"),
        ("shop:open_model", '{"a": 1, "b": 2}', ["b"]),
        ("shop:unsaid", '{"a": 1}', {"a": 1}),
        ("shop:Untyped", "5", 5),
        ("shop:shout", "hello", "HELLO"),
        ("shop:shout", '"hello"', "HELLO"),
        ("shop:shout", "7", "7"),
        ("shop:next_number", "41", 42),
        ("shop:echo", '{"a": [1, null]}', {"a": [1, None]}),
        ("shop:money", "1", {"price": "1.50", "team": "billing", "unknown": "NaN", "name": "Zoë"}),
    ],
)
def test_a_program_is_found_and_run(cli: Callable[..., Ended], target: str, given: str, expected: Any) -> None:
    ended = cli("run", target, "--input", given)
    assert ended.code == 0, ended.stderr
    assert ended.json == expected


def test_stdout_holds_the_result_alone(cli: Callable[..., Ended]) -> None:
    ended = cli("run", "shop:shout", "-i", "hello")
    assert ended.stdout == '"HELLO"\n'
    assert ended.stderr == "a module may print when it is imported\na program may print when it runs\n"


def test_what_a_process_of_the_program_prints_goes_to_stderr(process: Callable[..., Ended], shop: Path) -> None:
    (shop / "loud.py").write_text(
        "import subprocess, sys, os, dsp\n"
        "@dsp.program\n"
        "def loud(text: str) -> str:\n"
        "    subprocess.run([sys.executable, '-c', 'print(\"from a child\")'], check=True)\n"
        "    os.write(1, b'straight to the descriptor\\n')\n"
        "    sys.__stdout__.write('to the first stdout\\n')\n"
        "    return text\n"
    )
    ended = process("run", "loud:loud", "-i", "x")
    assert (ended.code, ended.stdout) == (0, '"x"\n')
    for line in ("from a child", "straight to the descriptor", "to the first stdout"):
        assert line in ended.stderr


def test_the_input_comes_from_a_file(cli: Callable[..., Ended], shop: Path) -> None:
    (shop / "ticket.json").write_text(TICKET)
    assert cli("run", "shop:triage", "-i", "@ticket.json").json == ROUTED


def test_the_input_comes_from_stdin(cli: Callable[..., Ended]) -> None:
    assert cli("run", "shop:triage", "-i", "-", stdin=TICKET).json == ROUTED
    assert cli("run", "shop:shout", "-i", "-", stdin="hello\n").json == "HELLO"


def test_the_result_goes_to_a_file(cli: Callable[..., Ended], shop: Path) -> None:
    ended = cli("run", "shop:triage", "-i", TICKET, "--output", "out.json")
    assert (ended.code, ended.stdout) == (0, "")
    assert json.loads((shop / "out.json").read_text()) == ROUTED


@pytest.mark.parametrize("place", ["missing/out.json", "."])
def test_a_place_that_cannot_be_written_is_told_before_the_run(cli: Callable[..., Ended], place: str) -> None:
    ended = cli("run", "shop:shout", "-i", "x", "-o", place)
    assert ended.code == 2
    assert "--output" in ended.stderr
    assert "when it runs" not in ended.stderr


def test_a_model_that_is_named_goes_before_the_programs_own(cli: Callable[..., Ended]) -> None:
    ended = cli("run", "shop:garbled", "-i", '{"subject": "support"}', "--lm", "embedded")
    assert ended.code == 0, ended.stderr
    assert ended.json["team"] == "support"


def test_a_function_that_a_model_answers_takes_its_arguments(cli: Callable[..., Ended]) -> None:
    ended = cli("run", "shop:route", "-i", '{"subject": "billing"}', "--lm", "embedded")
    assert ended.json["team"] == "billing"


def test_the_model_may_come_from_the_environment(cli: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSP_MODEL", "embedded")
    assert cli("run", "shop:unset", "-i", TICKET).code == 0


def test_a_module_that_is_named_like_a_library_is_found_by_its_path(cli: Callable[..., Ended], shop: Path) -> None:
    (shop / "json.py").write_text("import dsp\n@dsp.program\ndef twice(n: int) -> int:\n    return 2 * n\n")
    assert cli("run", "json.py:twice", "-i", "4").json == 8
