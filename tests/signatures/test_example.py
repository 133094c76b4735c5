"""One input with its expected output: immutable, safe to share, readable again."""

from __future__ import annotations

import copy
import enum
import json
import pickle
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AliasChoices, BaseModel, Field, Json, JsonValue, RootModel, computed_field, create_model

from dsp.errors import DemoError
from dsp.signatures import Example


class Colour(enum.Enum):
    RED = "red"
    BLUE = 2


class Inner(BaseModel):
    count: int = Field(alias="Count")


class Wide(BaseModel):
    text: str = Field(validation_alias=AliasChoices("in", "also"), serialization_alias="out")
    price: Decimal
    share: float
    day: date
    at: datetime
    took: timedelta
    id: UUID
    colour: Colour
    colours: frozenset[Colour]
    pair: tuple[int, str | None]
    inner: list[Inner]
    table: dict[int, bool]
    raw: Json[list[int]]

    @computed_field
    def length(self) -> int:
        return len(self.text)


class Names(RootModel[list[str]]):
    pass


class Question(BaseModel):
    text: str


def json_values() -> st.SearchStrategy[JsonValue]:
    leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
    )


wides = st.builds(
    Wide,
    **{"in": st.text()},
    price=st.decimals(allow_nan=False, allow_infinity=False),
    share=st.floats(allow_nan=False),
    day=st.dates(),
    at=st.datetimes(),
    took=st.timedeltas(max_value=timedelta(days=900), min_value=timedelta(0)),
    id=st.uuids(),
    colour=st.sampled_from(Colour),
    colours=st.frozensets(st.sampled_from(Colour)),
    pair=st.tuples(st.integers(), st.none() | st.text()),
    inner=st.lists(st.builds(Inner, Count=st.integers()), max_size=2),
    table=st.dictionaries(st.integers(), st.booleans(), max_size=2),
    raw=st.lists(st.integers(), max_size=2).map(json.dumps),
)


@given(wides, st.lists(st.text()).map(Names), st.dictionaries(st.text(), json_values(), max_size=3))
def test_an_example_is_read_again_as_it_was(inputs: Wide, expected: Names, metadata: dict[str, JsonValue]) -> None:
    example = Example(inputs, expected, metadata)
    assert Example.from_json(example.to_json(), Wide, Names) == example


def test_json_is_keyed_by_names_and_readable() -> None:
    example = Example(Inner(Count=3), Question(text="größe"), {"row": 1})
    assert example.to_json() == '{"inputs": {"count": 3}, "expected": {"text": "größe"}, "metadata": {"row": 1}}'


def test_a_union_is_read_again() -> None:
    cat, dog = create_model("Cat", claws=(int, ...)), create_model("Dog", tricks=(int, ...))
    example: Example[Any, Any] = Example(dog(tricks=1), cat(claws=2))
    union: Any = cat | dog
    assert Example.from_json(example.to_json(), union, union) == example


def test_later_changes_to_what_it_was_made_from_do_not_reach_it() -> None:
    question, metadata = Question(text="a"), {"tags": ["x"]}
    names = Names(["a"])
    example = Example(question, names, metadata)
    question.text = "b"
    names.root.append("b")
    metadata["tags"].append("y")
    assert example == Example(Question(text="a"), Names(["a"]), {"tags": ["x"]})


def test_nothing_in_it_can_be_set() -> None:
    example = Example(Question(text="a"), Question(text="b"), {"row": {"n": 1}})
    with pytest.raises(AttributeError):
        example.inputs = Question(text="c")
    with pytest.raises(TypeError):
        example.metadata["row"] = 2
    with pytest.raises(TypeError):
        example.metadata["row"]["n"] = 2


def test_it_can_be_copied_and_pickled() -> None:
    example = Example(Question(text="a"), Question(text="b"), {"row": {"n": [1]}})
    assert copy.copy(example) == copy.deepcopy(example) == pickle.loads(pickle.dumps(example)) == example


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "this is not JSON"),
        ("[]", 'a JSON object with "inputs" and "expected"'),
        ('{"inputs": {}}', 'a JSON object with "inputs" and "expected"'),
        ('{"inputs": {"text": "a"}, "expected": {}}', 'the "expected" of the example are no `Question`'),
        ('{"inputs": {"text": 3}, "expected": {"text": "a"}}', 'the "inputs" of the example are no `Question`'),
        ('{"inputs": {"text": "a"}, "expected": {"text": "a"}, "metadata": 3}', 'the "metadata" of an example'),
    ],
)
def test_what_is_no_example_is_an_error_that_says_why(text: str, message: str) -> None:
    with pytest.raises(DemoError, match=message):
        Example.from_json(text, Question, Question)


def test_only_models_make_an_example() -> None:
    with pytest.raises(DemoError, match="`inputs` of an example is an instance of a Pydantic model, got 'a'"):
        Example("a", Question(text="b"))


def test_a_value_that_json_cannot_say_is_an_error() -> None:
    class Anything(BaseModel):
        value: Any

    with pytest.raises(DemoError, match="cannot be written as JSON"):
        Example(Anything(value=object()), Question(text="a")).to_json()
