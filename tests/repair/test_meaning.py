"""Replies that must not become a wrong value, and what the same types read when the reply is right."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, RootModel

from dsp.adapters import JSONAdapter, XMLAdapter
from dsp.errors import ParseError
from dsp.repair import parse
from dsp.signatures import Signature


class Loose(BaseModel):
    x: int = 1
    y: str = "d"


class Holder(BaseModel):
    d: Loose | None = None


class Mixed(BaseModel):
    items: list[Loose | str]


class Cat(BaseModel):
    meow: int = 1


class Dog(BaseModel):
    bark: int = 2


class Pets(BaseModel):
    pet: Cat | Dog


class Moment(BaseModel):
    v: datetime


class Day(BaseModel):
    v: date


class Clock(BaseModel):
    v: time


class Whole(BaseModel):
    v: int


class Price(BaseModel):
    v: Decimal


class Text(BaseModel):
    v: str | None


class Fraction(BaseModel):
    v: float


class Question(BaseModel):
    text: str


WRONG: list[tuple[Any, str]] = [
    (Loose | None, '{"zz": 1}'),
    (Holder, '{"d": {"error": "cannot"}}'),
    (Mixed, '{"items": [{"error": "cannot"}]}'),
    (Cat | Dog, '{"zz": 1}'),
    (Pets, '{"pet": {"zz": 1}}'),
    (RootModel[Loose | None], '{"zz": 1}'),
    (Moment, '{"v": 2024}'),
    (Moment, '{"v": "2024"}'),
    (Moment, '{"v": "20240115"}'),
    (datetime | None, "2024"),
    (Day, '{"v": "2024"}'),
    (Day, '{"v": 20241340}'),
    (Clock, '{"v": 30}'),
    (Clock, '{"v": "30"}'),
    (list[date], "[2024]"),
    (Whole, '{"v": true}'),
    (Whole, '{"v": 1.0000000000000001}'),
    (Whole, '{"v": 1, "v": 2}'),
    (int | None, "true"),
]


@pytest.mark.parametrize("place", ["{}", "Here it is:\n```json\n{}\n```"])
@pytest.mark.parametrize(("into", "text"), WRONG)
def test_a_reply_of_another_meaning_is_refused(into: Any, text: str, place: str) -> None:
    with pytest.raises(ParseError):
        parse(place.replace("{}", text), into)


@pytest.mark.parametrize(
    ("model", "text"), [(into, text) for into, text in WRONG if into in (Holder, Mixed, Pets, Moment, Day, Clock)]
)
def test_an_adapter_refuses_it_too(model: type[BaseModel], text: str) -> None:
    with pytest.raises(ParseError):
        JSONAdapter().parse(Signature.of(Question, model, "Answer."), text)


@pytest.mark.parametrize(
    ("into", "text", "value"),
    [
        (Holder, '{"d": {"x": 2}}', Holder(d=Loose(x=2))),
        (Holder, '{"d": {}}', Holder(d=Loose())),
        (Pets, '{"pet": {"bark": 3}}', Pets(pet=Dog(bark=3))),
        (Moment, '{"v": "2024-01-15T10:00:00Z"}', Moment(v=datetime(2024, 1, 15, 10, tzinfo=UTC))),
        (Day, '{"v": "20240115"}', Day(v=date(2024, 1, 15))),
        (Day, '{"v": 20240115}', Day(v=date(2024, 1, 15))),
        (Clock, '{"v": "10:30"}', Clock(v=time(10, 30))),
        (Whole, '{"v": 9007199254740993.0}', Whole(v=9007199254740993)),
        (Whole, '{"v": "3"}', Whole(v=3)),
        (Price, '{"v": 12345678901234567.89}', Price(v=Decimal("12345678901234567.89"))),
        (Price, "{'v': 12345678901234567.89}", Price(v=Decimal("12345678901234567.89"))),
        (Text, '{"v": 1.10}', Text(v="1.10")),
        (Text, '{"v": 1e5}', Text(v="1e5")),
        (Fraction, '{"v": 1.5}', Fraction(v=1.5)),
        (Fraction, "{'v': 2.50}", Fraction(v=2.5)),
    ],
)
def test_a_right_reply_keeps_what_was_written(into: Any, text: str, value: object) -> None:
    assert parse(text, into).value == value


@pytest.mark.parametrize(
    ("adapter", "reply"),
    [(JSONAdapter(), '{"v": 12345678901234567.89}'), (XMLAdapter(), "<v>12345678901234567.89</v>")],
)
def test_a_decimal_keeps_its_digits_in_a_reply(adapter: JSONAdapter | XMLAdapter, reply: str) -> None:
    parsed = adapter.parse(Signature.of(Question, Price, "Answer."), reply)
    assert parsed.output.v == Decimal("12345678901234567.89")


@pytest.mark.parametrize("text", ['{"v": "The answer is', '{"v": "The answer is 12, and', '```json\n{"v": "The'])
def test_a_text_that_ends_in_the_middle_is_no_output(text: str) -> None:
    with pytest.raises(ParseError, match="ends within a value"):
        JSONAdapter().parse(Signature.of(Question, Text, "Answer."), text)


def test_a_missing_bracket_alone_is_added() -> None:
    assert JSONAdapter().parse(Signature.of(Question, Text, "Answer."), '{"v": "all of it"').output.v == "all of it"


def test_a_text_that_ends_in_the_middle_is_mended_on_request() -> None:
    mended = parse('{"v": "The answer is', Text)
    assert mended.value == Text(v="The answer is")
    assert any("ends within a value" in one for one in mended.repairs)
