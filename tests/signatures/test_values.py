"""Values in and out of a signature: inputs as a prompt shows them, replies as instances."""

from __future__ import annotations

import enum
import json
import os
import subprocess
import sys
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import (
    AliasChoices,
    AliasPath,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    RootModel,
    ValidationError,
    computed_field,
    create_model,
    field_serializer,
    field_validator,
    model_serializer,
    model_validator,
)

from dsp.errors import InputError
from dsp.signatures import Signature


class Part(BaseModel):
    name: str
    count: int = 1


class Colour(enum.Enum):
    RED = "red"


class Ticket(BaseModel):
    subject: str
    parts: list[Part] = []
    kind: Literal["bug", "wish"] = "bug"


class Urgent(Ticket):
    deadline: str = "now"


class BigPart(Part):
    size: int = 9


class Answer(BaseModel):
    text: str


class Names(RootModel[list[str]]):
    pass


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"


class Kitten(Cat):
    age: int = 0


signature = Signature.of(Ticket, Answer)


def test_an_input_is_dumped_as_json_values() -> None:
    class Wide(BaseModel):
        day: date
        price: Decimal
        id: UUID
        colour: Colour
        tags: set[int]
        pair: tuple[int, str]

    id_ = UUID(int=1)
    wide = Wide(day=date(2024, 5, 1), price=Decimal("1.50"), id=id_, colour=Colour.RED, tags={3}, pair=(1, "a"))
    dumped = Signature.of(Wide, Answer).dump_inputs(wide)
    assert dumped == {
        "day": "2024-05-01",
        "price": "1.50",
        "id": str(id_),
        "colour": "red",
        "tags": [3],
        "pair": [1, "a"],
    }


def test_a_subclass_instance_is_dumped_as_the_declared_model_nested_ones_too() -> None:
    dumped = signature.dump_inputs(Urgent(subject="s", parts=[BigPart(name="p")]))
    assert dumped == {"subject": "s", "parts": [{"name": "p", "count": 1}], "kind": "bug"}


def test_the_order_is_the_declared_one_whatever_order_the_instance_has() -> None:
    ticket = Ticket.model_construct(kind="wish", parts=[], subject="s")
    ticket.__dict__.update({key: ticket.__dict__.pop(key) for key in ("subject", "parts")})
    assert list(signature.dump_inputs(ticket)) == ["subject", "parts", "kind"]


def test_extra_values_of_an_open_model_stay_out_of_the_prompt() -> None:
    class Open(BaseModel):
        model_config = ConfigDict(extra="allow")
        a: int

    assert Signature.of(Open, Answer).dump_inputs(Open.model_validate({"a": 1, "b": 2})) == {"a": 1}


def test_a_prompt_shows_the_fields_of_a_model_that_serializes_itself() -> None:
    class Terse(BaseModel):
        a: int
        b: int

        @model_serializer
        def short(self) -> str:
            return f"{self.a}/{self.b}"

    assert Signature.of(Terse, Terse).dump_inputs(Terse(a=1, b=2)) == {"a": 1, "b": 2}


def test_the_serializer_of_a_field_has_the_last_word() -> None:
    class Rounded(BaseModel):
        a: float
        kind: Literal["x"] = "x"

        @field_serializer("a")
        def rounded(self, value: float) -> int:
            return round(value)

        @field_serializer("kind")
        def loud(self, value: str) -> str:
            return value.upper()

    assert Signature.of(Rounded, Answer).dump_inputs(Rounded(a=1.2)) == {"a": 1, "kind": "X"}


def test_a_field_is_shown_also_when_its_model_would_leave_the_value_out() -> None:
    class Sparse(BaseModel):
        a: int = Field(default=0, exclude_if=lambda value: value == 0)

    one = Signature.of(Sparse, Sparse)
    assert one.dump_inputs(Sparse()) == one.dump_output(Sparse()) == {"a": 0}


BAD: list[tuple[Any, str]] = [
    ({"subject": "s"}, r"expected an instance of `Ticket`, got a dict: write `Ticket\(\*\*values\)`"),
    (MappingProxyType({}), r"got a mappingproxy: write `Ticket\(\*\*values\)`"),
    (Ticket, r"got the class `Ticket`: write `Ticket\(\.\.\.\)`"),
    ("text", r"got 'text' \(str\): write `Ticket\(\.\.\.\)`"),
    (None, r"got None \(NoneType\)"),
    (Answer(text="t"), r"got Answer\(text='t'\) \(Answer\)"),
    (Ticket.model_construct(subject=3, parts=[], kind="bug"), r"`Ticket\.subject` should be string, got 3 \(int\)\."),
    (Ticket.model_construct(subject="s", parts=[]), None),
    (Ticket.model_construct(parts=[]), r"`Ticket\.subject` has no value: the instance was made without validation"),
    (
        Ticket.model_construct(subject="s", parts=[], kind="other"),
        r"`Ticket\.kind` should be one of \"bug\", \"wish\", got 'other' \(str\)",
    ),
    (
        Ticket.model_construct(subject="s", parts=[Part.model_construct(name=1, count=1)], kind="bug"),
        r"`Ticket\.parts` should be list of Part, got .*field_name='name', input_value=1",
    ),
    (Ticket.model_construct(subject="s", parts=[object()], kind="bug"), r"`Ticket\.parts` should be list of Part"),
]


@pytest.mark.parametrize(("value", "message"), BAD)
def test_an_input_that_does_not_fit_is_an_error_that_names_field_value_and_way_out(
    value: Any, message: str | None
) -> None:
    if message is None:
        assert signature.dump_inputs(value)["kind"] == "bug"  # a default that Pydantic fills in also without validation
        return
    with pytest.raises(InputError, match=message):
        signature.dump_inputs(value)


def test_a_value_that_contains_itself_is_an_error() -> None:
    class Loop(BaseModel):
        items: list[Any]

    items: list[Any] = []
    items.append(items)
    with pytest.raises(InputError, match=r"`Loop\.items`"):
        Signature.of(Loop, Answer).dump_inputs(Loop(items=items))


def test_an_object_without_json_form_is_an_error() -> None:
    class Anything(BaseModel):
        value: Any

    with pytest.raises(InputError, match=r"`Anything\.value` should be any JSON value, got <object"):
        Signature.of(Anything, Answer).dump_inputs(Anything(value=object()))


def test_a_root_model_and_a_union_are_dumped_under_one_key() -> None:
    one: Signature[Any, Any] = Signature.of(Cat | Dog, Names)
    assert one.dump_inputs(Dog()) == {"input": {"kind": "dog"}}
    assert one.dump_inputs(Kitten()) == {"input": {"kind": "cat"}}
    assert one.dump_output(Names(["a"])) == {"output": ["a"]}
    with pytest.raises(InputError, match=r"expected an instance of `Cat \| Dog`, got 'x'"):
        one.dump_inputs("x")
    with pytest.raises(InputError, match=r"`Names` holds a value that does not fit"):
        one.dump_output(Names.model_construct([object()]))
    age = create_model("Age", years=(int, ...))
    other: Signature[Any, Any] = Signature.of(age | Cat, Names)
    with pytest.raises(InputError, match=r"`Age\.years` has no value"):
        other.dump_inputs(age.model_construct())


class Inner(BaseModel):
    value: int = Field(validation_alias="readValue", serialization_alias="writtenValue")
    kept: int = Field(default=2, exclude=True)


class Renamed(BaseModel):
    text: str = Field(validation_alias=AliasChoices("first", "second"), serialization_alias="out")
    deep: int = Field(default=0, validation_alias=AliasPath("box", 0))
    inner: Inner

    @computed_field
    def extra(self) -> int:
        return 1


def test_an_output_is_dumped_as_replies_give_it_nested_fields_too() -> None:
    one = Signature.of(Renamed, Renamed)
    value = Renamed.model_validate({"first": "t", "box": [5], "inner": {"readValue": 1}})
    assert one.dump_output(value) == {"first": "t", "deep": 5, "inner": {"readValue": 1, "kept": 2}}
    assert one.dump_inputs(value) == {"out": "t", "deep": 5, "inner": {"writtenValue": 1}}
    assert one.validate_output(one.dump_output(value)) == value


@pytest.mark.parametrize(
    "values",
    [
        {"first": "t", "inner": {"readValue": 1}},
        {"second": "t", "inner": {"value": "1"}},
        {"text": "t", "inner": {"readValue": 1}, "unknown": 3},
        {"text": "t", "box": [0], "inner": {"readValue": 1}},
    ],
)
def test_an_output_is_read_by_label_by_name_and_by_any_alias(values: dict[str, JsonValue]) -> None:
    one = Signature.of(Answer, Renamed)
    for given in (values, json.dumps(values)):
        assert one.validate_output(given).text == "t"


def test_swapped_aliases_do_not_mix_values_up() -> None:
    class Swapped(BaseModel):
        a: int = Field(alias="b")
        b: int = Field(alias="c")

    one = Signature.of(Answer, Swapped)
    assert one.validate_output({"b": 1, "c": 2}) == Swapped(b=1, c=2)
    assert one.validate_output({"a": 1, "c": 2}) == Swapped(b=1, c=2)
    assert one.validate_output('{"b": 1, "c": 2}') == Swapped(b=1, c=2)
    with pytest.raises(ValidationError):
        one.validate_output({"b": 1})


def test_an_output_is_read_as_json_even_by_a_strict_model() -> None:
    class Strict(BaseModel):
        model_config = ConfigDict(strict=True)
        day: date
        pair: tuple[int, int]
        colour: Colour
        tags: set[str]

    values: dict[str, JsonValue] = {"day": "2024-05-01", "pair": [1, 2], "colour": "red", "tags": ["a"]}
    read = Signature.of(Answer, Strict).validate_output(values)
    assert read == Strict(day=date(2024, 5, 1), pair=(1, 2), colour=Colour.RED, tags={"a"})


@pytest.mark.parametrize("extra", ["ignore", "forbid"])
def test_keys_that_the_model_does_not_know_are_left_out(extra: Literal["ignore", "forbid"]) -> None:
    class Closed(BaseModel):
        model_config = ConfigDict(extra=extra)
        a: int

    one = Signature.of(Answer, Closed)
    assert one.validate_output({"a": 1, "b": 2}) == Closed(a=1)
    assert one.validate_output('{"a": 1, "b": 2}') == Closed(a=1)


def test_an_open_model_keeps_further_keys_but_no_leading_field() -> None:
    class Open(BaseModel):
        model_config = ConfigDict(extra="allow")
        a: int

    one = Signature.of(Answer, Open).leading("reasoning", str, "")
    assert one.validate_output({"reasoning": "r", "a": 1, "b": 2}).model_extra == {"b": 2}


def test_constraints_and_validators_of_the_model_are_kept_to() -> None:
    class Checked(BaseModel):
        age: int = Field(ge=18)
        word: str

        @field_validator("word")
        @classmethod
        def lower(cls, value: str) -> str:
            return value.lower()

        @model_validator(mode="after")
        def fit(self) -> Checked:
            if self.word == "no":
                raise ValueError("no is no word")
            return self

    one = Signature.of(Answer, Checked)
    assert one.validate_output({"age": "18", "word": "A"}) == Checked(age=18, word="a")
    for values in ({"age": 17, "word": "a"}, {"age": 18, "word": "NO"}, {"age": 18}, {}):
        with pytest.raises(ValidationError):
            one.validate_output(values)


def test_a_value_that_is_no_object_is_read_from_the_key_output() -> None:
    one = Signature.of(Answer, Names)
    assert one.validate_output({"output": ["a"]}) == Names(["a"])
    assert one.validate_output('{"output": ["a"]}') == Names(["a"])
    union: Signature[Any, Any] = Signature.of(Answer, Annotated[Cat | Dog, Field(discriminator="kind")])
    assert union.validate_output({"output": {"kind": "dog"}}) == Dog()
    with pytest.raises(ValidationError, match="output\n  Field required"):
        one.validate_output({"result": ["a"]})


@pytest.mark.parametrize("text", ["", "[1]", "3", "{", '{"text": 1', "null"])
def test_text_that_is_no_object_is_a_validation_error(text: str) -> None:
    for one in (Signature.of(Ticket, Answer), Signature.of(Ticket, Answer).leading("reasoning", str, "")):
        with pytest.raises(ValidationError):
            one.validate_output(text)


@pytest.mark.parametrize("text", ["\ud800", "[[ ## text ## ]]", "</text>", "{{ x }}", "\x00", "a\r\nb", "😀"])
def test_any_text_passes_both_ways(text: str) -> None:
    one = Signature.of(Answer, Answer)
    assert one.dump_inputs(Answer.model_construct(text=text)) == {"text": text}
    assert one.validate_output({"text": text}).text == text


def test_numbers_beyond_json_pass() -> None:
    class Number(BaseModel):
        x: float
        y: int

    read = Signature.of(Answer, Number).validate_output({"x": float("inf"), "y": 10**40})
    assert (read.x, read.y) == (float("inf"), 10**40)


def test_sets_are_shown_in_one_order_in_every_process() -> None:
    code = """
from pydantic import BaseModel, RootModel
from dsp import Example, Signature
class Inner(BaseModel):
    words: frozenset[str]
class In(BaseModel):
    tags: set[str]
    deep: dict[str, list[Inner | None]]
    pair: tuple[set[str], int]
class Root(RootModel[set[str]]): ...
words = {"a", "b", "c", "d", "é", "zebra"}
sent = In(tags=words, deep={"x": [Inner(words=words), None]}, pair=(words, 1))
print(Signature.of(In, In).dump_inputs(sent), Signature.of(In, Root).dump_output(Root(words)))
"""
    shown = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in "123"
    }
    assert len(shown) == 1
    assert "['a', 'b', 'c', 'd', 'zebra', 'é']" in shown.pop()
