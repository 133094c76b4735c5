"""The signature itself: an immutable value that keeps no model alive."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from typing import Any, Generic, TypeVar

import pytest
from pydantic import BaseModel, Field, RootModel, create_model

from dsp.errors import DemoError, SignatureError
from dsp.signatures import Example, Signature

T = TypeVar("T", bound=BaseModel)


class Question(BaseModel):
    text: str


class Answer(BaseModel):
    text: str
    sure: bool


class Documented(BaseModel):
    """Answer the question.

    Be brief.
    """

    text: str


class Heir(Documented):
    more: int


class Empty(BaseModel):
    pass


class Names(RootModel[list[str]]):
    pass


class Chain(BaseModel):
    next: Chain | None = None


@pytest.mark.parametrize(
    ("output", "given", "instructions"),
    [
        (Answer, "Do it.", "Do it."),
        (Documented, "Do it.", "Do it."),
        (Documented, "", ""),
        (Documented, None, "Answer the question.\n\nBe brief."),
        (Heir, None, "Given `text`, write `text` and `more`."),
        (Answer, None, "Given `text`, write `text` and `sure`."),
        (Names, None, "Given `text`, write `output`."),
        (Empty, None, "Read `text`."),
    ],
)
def test_instructions_are_the_argument_or_the_docstring_or_a_sentence(
    output: type[BaseModel], given: str | None, instructions: str
) -> None:
    assert Signature.of(Question, output, given).instructions == instructions


def test_the_name_says_the_models_unless_it_is_given() -> None:
    assert Signature.of(Question, Answer).name == "Question -> Answer"
    assert Signature.of(Question | Answer, Answer).name == "Question | Answer -> Answer"
    assert Signature.of(Question, Answer, name="ask").name == "ask"


NOT_MODELS: list[tuple[Any, str]] = [
    (str, r"got <class 'str'>: write `class Input\(BaseModel\): \.\.\.`, or `RootModel\[str\]`"),
    (Question(text="x"), r"got Question\(text='x'\): pass the class: `Question`"),
    (list[int], "got list"),
    (Question | int, "got <class 'int'>"),
    (None, "got None"),
    ("Question", "got 'Question'"),
    (T, "a type variable has no fields"),
    (BaseModel, "got <class 'pydantic.main.BaseModel'>"),
]


@pytest.mark.parametrize(("model", "message"), NOT_MODELS)
def test_what_is_no_model_is_an_error_that_shows_it(model: Any, message: str) -> None:
    with pytest.raises(SignatureError, match=message):
        Signature.of(model, Answer)
    with pytest.raises(SignatureError, match="the output of a signature is a Pydantic model"):
        Signature.of(Question, model)


def test_equality_and_hash_are_by_value() -> None:
    one = Signature.of(Question, Answer, "Do it.")
    assert one == Signature.of(Question, Answer, "Do it.")
    assert hash(one) == hash(Signature.of(Question, Answer, "Do it."))
    assert one.with_instructions("Do it.") == one
    different: list[Signature[Any, Any]] = [
        one.with_instructions("Do that."),
        Signature.of(Question, Answer, "Do it.", name="other"),
        one.leading("reasoning", str, ""),
        Signature.of(Question, Documented, "Do it.", name=one.name),
        Signature.of(Question, create_model("Answer", text=(str, ...), sure=(bool, ...)), "Do it."),
    ]
    assert one not in different
    assert one != "a signature"
    assert repr(one) == "Signature.of(Question, Answer, 'Do it.')"


def test_a_signature_cannot_be_changed_and_copies_to_itself() -> None:
    one = Signature.of(Question, Answer)
    with pytest.raises(AttributeError):
        one.instructions = "x"
    assert copy.copy(one) is one
    assert copy.deepcopy(one) is one


def test_a_signature_can_be_pickled_with_its_leading_fields() -> None:
    one = Signature.of(Question, Answer, "Do it.", name="ask").leading("reasoning", str, "think")
    assert pickle.loads(pickle.dumps(one)) == one


def test_a_leading_field_comes_first_and_is_no_part_of_the_output() -> None:
    one = Signature.of(Question, Answer).leading("reasoning", str, "think").leading("plan", list[Chain], "steps")
    assert [field.label for field in one.output_fields] == ["reasoning", "plan", "text", "sure"]
    assert [field.type_text for field in one.leading_fields] == ["string", "list of Chain"]
    assert one.leading_fields[0].description == "think"
    assert one.leading_fields[0].is_text
    assert [definition.name for definition in one.output_definitions] == ["Chain"]
    values: dict[str, Any] = {"reasoning": "r", "plan": [], "text": "t", "sure": True}
    assert one.validate_output(values) == Answer(text="t", sure=True)
    assert one.validate_output('{"reasoning": "r", "text": "t", "sure": true}') == Answer(text="t", sure=True)
    assert one.dump_output(Answer(text="t", sure=True)) == {"text": "t", "sure": True}
    schema = one.json_schema().schema
    assert list(schema["properties"]) == schema["required"] == ["reasoning", "plan", "text", "sure"]
    assert "Chain" in schema["$defs"]


def test_a_leading_field_before_a_value_that_is_no_object() -> None:
    one = Signature.of(Question, Names).leading("reasoning", str, "think")
    assert one.validate_output({"reasoning": "r", "output": ["a"]}) == Names(["a"])
    with pytest.raises(SignatureError, match="has a field `output` of its own"):
        one.leading("output", str, "")


def test_a_leading_field_cannot_hide_a_field_of_the_output() -> None:
    class Own(BaseModel):
        reasoning: str = Field(alias="why")

    for name in ("reasoning", "why"):
        with pytest.raises(SignatureError, match=f"`Own` has a field `{name}` of its own"):
            Signature.of(Question, Own).leading(name, str, "")


def test_the_fingerprint_follows_fields_types_and_descriptions_only() -> None:
    def made(**fields: Any) -> Signature[Any, Any]:
        return Signature.of(Question, create_model("Out", **fields), "Do it.")

    one = made(a=(int, ...))
    assert one.fingerprint == made(a=(int, ...)).with_instructions("Other.").fingerprint
    others = [
        made(b=(int, ...)),
        made(a=(str, ...)),
        made(a=(int, 3)),
        made(a=(int, None)),
        made(a=(int, Field(ge=0))),
        made(a=(int, Field(description="x"))),
        made(a=(int, Field(alias="x"))),
        made(a=(int, ...), b=(int, ...)),
        one.leading("r", str, ""),
        made(a=(create_model("In", x=(int, ...)), ...)),
        made(a=(create_model("In", x=(str, ...)), ...)),
    ]
    prints = {other.fingerprint for other in others}
    assert one.fingerprint not in prints
    assert len(prints) == len(others)
    assert len(one.fingerprint) == 64


def test_a_demo_is_checked_against_the_models() -> None:
    one = Signature.of(Question, Answer)
    good = Example(Question(text="q"), Answer(text="a", sure=True))
    one.check_demo(good)
    bad: list[Any] = [
        (Question(text="q"), Answer(text="a", sure=True)),
        {"inputs": {}},
        Example(Question(text="q"), Question(text="q")),
        Example(Answer(text="a", sure=True), Answer(text="a", sure=True)),
    ]
    for demo in bad:
        with pytest.raises(DemoError, match=r"write `Example\(Question\(\.\.\.\), Answer\(\.\.\.\)\)`"):
            one.check_demo(demo)


def test_one_name_in_both_models_is_no_trouble() -> None:
    one = Signature.of(Question, Question)
    assert one.dump_inputs(Question(text="a")) == one.dump_output(Question(text="a")) == {"text": "a"}


def test_a_model_that_is_rebuilt_is_read_again() -> None:
    first = Signature.of(Question, Chain)
    Chain.model_rebuild(force=True)
    second = Signature.of(Question, Chain)
    assert second.validate_output({"next": {}}) == Chain(next=Chain())
    assert first == second


def test_a_signature_and_its_dynamic_models_are_given_back_to_memory() -> None:
    def make() -> list[weakref.ref[Any]]:
        inner = create_model("Inner", x=(int, ...))
        question = create_model("Question", q=(str, ...), inner=(inner, ...))
        answer = create_model("Answer", a=(list[inner], ...))
        union: Any = question | answer  # `Union[...]` would be kept by a cache of `typing`
        signatures: list[Signature[Any, Any]] = [
            Signature.of(question, answer),
            Signature.of(union, answer).leading("reasoning", list[inner], ""),
        ]
        for one in signatures:
            one.dump_output(answer(a=[inner(x=1)]))
            one.validate_output({"a": [{"x": 1}]})
            one.json_schema()
            hash((one, one.fingerprint))
        return [weakref.ref(thing) for thing in (inner, question, answer, *signatures)]

    references = [reference for _ in range(20) for reference in make()]
    gc.collect()
    assert [reference() for reference in references if reference() is not None] == []


def test_generic_base_models_are_told_apart_by_their_arguments() -> None:
    item = TypeVar("item")

    class Box(BaseModel, Generic[item]):
        content: item

    assert Signature.of(Box[int], Answer) != Signature.of(Box[str], Answer)
