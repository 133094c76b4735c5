"""What an adapter writes as a demo it reads back, whatever the signature and the values."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsp.adapters import ChatAdapter, JSONAdapter, XMLAdapter
from dsp.errors import ParseError
from dsp.signatures import Example, Signature

from .shapes import Given, cases, texts

ADAPTERS = [ChatAdapter(), JSONAdapter(), XMLAdapter()]
GIVEN = Given(text="t", things=[])


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda one: one.name)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(case=cases())
def test_a_demo_is_read_back_as_it_was(adapter: Any, case: tuple[Signature[Any, Any], Any]) -> None:
    signature, expected = case
    reply = adapter.format(signature, GIVEN, demos=[Example(GIVEN, expected)]).messages[2].text
    parsed = adapter.parse(signature, reply)
    assert parsed.output == expected
    assert (parsed.report.rung, parsed.report.repairs) == ("direct", ())


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda one: one.name)
@settings(max_examples=100, deadline=None)
@given(
    reply=st.lists(
        texts | st.sampled_from(["<answer>", "</answer>", "<text>", "</text>", "[[ ## text ## ]]\n", '{"text": ']),
        max_size=8,
    ).map("".join)
)
def test_any_reply_is_read_or_refused(adapter: Any, reply: str) -> None:
    with suppress(ParseError):
        adapter.parse(Signature.of(Given, Given, "x"), reply)
