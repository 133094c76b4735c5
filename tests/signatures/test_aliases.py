"""Synonyms of the words that a field takes."""

from __future__ import annotations

import enum
import pickle
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from dsp.errors import SignatureError
from dsp.signatures import Aliases, Signature

MOODS = Aliases({"pos": "positive", "Neg": "negative"})
Mood = Literal["positive", "negative"]


class Team(enum.Enum):
    BILLING = "billing"
    TECH = "tech"


class Level(enum.Enum):
    NEGATIVE = "negative"


class Answer(BaseModel):
    mood: Annotated[Mood, MOODS]


@pytest.mark.parametrize(
    ("annotation", "given", "read"),
    [
        (Mood, "pos", "positive"),
        (Mood, " POS ", "positive"),
        (Mood, "neg", "negative"),
        (Mood, "positive", "positive"),
        (Mood | None, "neg", "negative"),
        (Mood | None, None, None),
        (str, "pos", "positive"),
        (Literal["positive"] | Level, "pos", "positive"),
        (int | str, "pos", "positive"),
        (int | str, 3, 3),
        (str, "Other", "Other"),
    ],
)
def test_a_synonym_is_read_as_its_value(annotation: Any, given: object, read: object) -> None:
    assert TypeAdapter(Annotated[annotation, MOODS]).validate_python(given) == read


@pytest.mark.parametrize("given", ["not positive", "po", "", 3, ["pos"]])
def test_nothing_else_becomes_a_value(given: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Annotated[Mood, MOODS]).validate_python(given)


def test_an_enum_takes_synonyms_of_its_values() -> None:
    adapter: TypeAdapter[Team] = TypeAdapter(Annotated[Team, Aliases({"money": "billing"})])
    assert adapter.validate_json('"Money"') is Team.BILLING
    assert adapter.validate_python(Team.TECH) is Team.TECH
    assert adapter.dump_python(Team.BILLING, mode="json") == "billing"


def test_a_value_is_never_taken_for_a_synonym_of_another() -> None:
    swapped = Aliases({"Yes": "no", "y": "yes"})
    adapter: TypeAdapter[str] = TypeAdapter(Annotated[Literal["yes", "no"], swapped])
    assert adapter.validate_python("yes") == "yes"


def test_the_schema_and_the_prompt_stay_as_they_are() -> None:
    assert TypeAdapter(Annotated[Mood, MOODS]).json_schema() == TypeAdapter(Mood).json_schema()
    one = Signature.of(Answer, Answer)
    assert one.output_fields[0].type_text == 'one of "positive", "negative"'
    assert MOODS in one.output_fields[0].annotation.__metadata__
    assert one.validate_output({"mood": "pos"}) == Answer(mood="positive")
    assert one.dump_inputs(Answer(mood="positive")) == {"mood": "positive"}


@pytest.mark.parametrize(
    ("annotation", "names", "message"),
    [
        (
            Mood,
            {"good": "great"},
            "stands for 'great', which the field does not take: use one of 'negative', 'positive'",
        ),
        (Team, {"money": "BILLING"}, "use one of 'billing', 'tech'"),
        (Mood | None, {"good": "great"}, "does not take"),
        (list[Mood], {"pos": "positive"}, "put it on the items"),
        (int, {"one": "1"}, "synonyms of single values"),
    ],
)
def test_a_synonym_of_what_the_field_does_not_take_is_an_error_at_once(
    annotation: Any, names: dict[str, str], message: str
) -> None:
    with pytest.raises(SignatureError, match=message):
        TypeAdapter(Annotated[annotation, Aliases(names)])


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({}, "no synonyms"),
        ({" ": "positive"}, "an empty synonym"),
        ({"Pos": "positive", "pos": "negative"}, "stands for 'positive' and for 'negative'"),
    ],
)
def test_synonyms_that_make_no_sense_are_an_error(names: dict[str, str], message: str) -> None:
    with pytest.raises(SignatureError, match=message):
        Aliases(names)


def test_it_is_a_value() -> None:
    same = Aliases({"pos": "positive", "Neg": "negative"})
    assert same == MOODS
    assert hash(same) == hash(MOODS)
    assert pickle.loads(pickle.dumps(MOODS)) == MOODS
    assert Aliases({"pos": "positive"}) != MOODS
    assert MOODS != "x"
    assert repr(Aliases({"a": "b"})) == "Aliases({'a': 'b'})"
    assert dict(MOODS.names) == {"pos": "positive", "Neg": "negative"}


def test_it_cannot_be_changed() -> None:
    with pytest.raises(AttributeError, match="cannot be changed"):
        MOODS.names = {}
    with pytest.raises(AttributeError, match="cannot be changed"):
        del MOODS._names
    with pytest.raises(TypeError):
        MOODS.names["x"] = "y"
