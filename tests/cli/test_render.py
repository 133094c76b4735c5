"""`dsp render`: the exact messages, without a call."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Ended

TICKET = '{"subject": "Invoice", "body": "It is too high."}'


def test_messages_stand_under_their_roles(cli: Callable[..., Ended]) -> None:
    ended = cli("render", "shop:triage", "-i", TICKET)
    assert ended.code == 0
    assert ended.stdout.startswith("--- system ---\nRoute a ticket.\n")
    assert "\n--- user ---\n[[ ## subject ## ]]\nInvoice\n" in ended.stdout
    assert "a module may print" in ended.stderr


def test_it_is_what_the_program_itself_renders(cli: Callable[..., Ended]) -> None:
    shown = cli("render", "shop:triage", "-i", TICKET).stdout
    shop = sys.modules["shop"]
    messages = shop.triage.render(shop.Ticket(subject="Invoice", body="It is too high."))
    assert shown == "\n".join(f"--- {each.role} ---\n{each.text.rstrip()}\n" for each in messages)


def test_no_model_is_needed(cli: Callable[..., Ended]) -> None:
    assert cli("render", "shop:unset", "-i", TICKET).code == 0
    assert cli("render", "shop:route", "-i", '{"subject": "x"}').code == 0


def test_another_adapter_writes_another_prompt(cli: Callable[..., Ended]) -> None:
    assert '"subject": "Invoice"' in cli("render", "shop:triage", "-i", TICKET, "--adapter", "json").stdout
    assert "<subject>" in cli("render", "shop:triage", "-i", TICKET, "--adapter", "xml").stdout
    assert "[[ ## subject ## ]]" in cli("render", "shop:triage", "-i", TICKET, "--adapter", "chat").stdout


@pytest.mark.parametrize(("step", "says"), [("main", "Route a ticket."), ("by_team['billing'][0]", "Bill.")])
def test_a_step_of_a_program_is_rendered_by_its_path(cli: Callable[..., Ended], step: str, says: str) -> None:
    ended = cli("render", "shop:Shop", "-i", TICKET, "--step", step)
    assert ended.code == 0, ended.stderr
    assert says in ended.stdout


@pytest.mark.parametrize(
    ("target", "step", "says"),
    [
        ("shop:Shop", None, ["say which", "--step 'main'", "--step \"by_team['billing'][0]\""]),
        ("shop:Shop", "mian", ["Did you mean 'main'?", "--step 'main'"]),
        ("shop:pipeline", None, ["--step 'steps[0].main'"]),
        ("shop:triage", "main", ["leave out --step"]),
        ("shop:shout", None, ["nothing that asks a model"]),
    ],
)
def test_a_step_that_is_missing_or_wrong_is_told_with_those_that_there_are(
    cli: Callable[..., Ended], target: str, step: str | None, says: list[str]
) -> None:
    ended = cli("render", target, "-i", TICKET, *(() if step is None else ("--step", step)))
    assert ended.code == 2
    for words in says:
        assert words in ended.stderr
