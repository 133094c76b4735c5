"""What is known of a value while its text is still being written."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from dsp.repair import Partial, parse_partial
from dsp.testing.strategies import models, values


class Item(BaseModel):
    name: str
    count: int = 1


class Order(BaseModel):
    title: str
    level: Literal["low", "high"] | None = None
    items: list[Item] = []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("   ", None),
        ("Sure, I will", None),
        ("<think>{'title': 'x'", None),
        ("{", {}),
        ('{"ti', {}),
        ('{"title"', {}),
        ('{"title":', {}),
        ('{"title": "', {"title": ""}),
        ('{"title": "A bo', {"title": "A bo"}),
        ('{"title": "A \\', {"title": "A "}),
        ('{"title": "A", "items": [', {"title": "A", "items": []}),
        ('{"title": "A", "items": [{"name": "x", "count": 1', {"title": "A", "items": [{"name": "x"}]}),
        ('{"title": "A", "items": [{"name": "x", "count": 12,', {"title": "A", "items": [{"name": "x", "count": 12}]}),
        ('Here:\n```json\n{"Title": "A', {"title": "A"}),
        ("<think>hm</think>{title: 'A', ", {"title": "A"}),
        ('{"title": "A"}', {"title": "A"}),
        ('{"title": "say "hi" to', {"title": 'say "hi" to'}),
        ('{"title": "A", "level": nul', {"title": "A"}),
    ],
)
def test_what_has_arrived_is_known(text: str, value: Any) -> None:
    assert parse_partial(text, Order).value == value


def test_it_is_complete_when_the_value_has_ended() -> None:
    assert parse_partial('{"title": "A"}', Order) == Partial({"title": "A"}, complete=True)
    assert parse_partial('```json\n{"title": "A"}\n```', Order).complete
    assert not parse_partial('{"title": "A"', Order).complete
    assert parse_partial("free text", str) == Partial("free text", complete=False)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_every_beginning_says_no_more_than_the_whole(data: st.DataObject) -> None:
    model = data.draw(models())
    whole = json.loads(data.draw(values(model)).model_dump_json(by_alias=True))
    text = json.dumps(whole)
    assert parse_partial(text, model).complete
    known = parse_partial(text[: data.draw(st.integers(0, len(text)))], dict[str, Any]).value
    assert known is None or agrees(known, whole)


def agrees(part: Any, whole: Any) -> bool:
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and agrees(one, whole[key]) for key, one in part.items())
    if isinstance(part, list):
        return isinstance(whole, list) and all(agrees(one, other) for one, other in zip(part, whole, strict=False))
    if isinstance(part, str):
        return isinstance(whole, str) and whole.startswith(part)
    return bool(part == whole)
