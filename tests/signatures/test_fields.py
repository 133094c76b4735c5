"""What a prompt shows of a model: names, types in words, constraints, descriptions, defaults, nested types."""

from __future__ import annotations

import dataclasses
import enum
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar
from uuid import UUID

import pytest
from pydantic import (
    AliasChoices,
    AliasPath,
    AnyUrl,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    PastDate,
    PrivateAttr,
    RootModel,
    SecretStr,
    computed_field,
    create_model,
)
from typing_extensions import TypeAliasType, TypedDict

from dsp.errors import SignatureError
from dsp.signatures import Signature, SignatureField


class Question(BaseModel):
    text: str


class Level(enum.Enum):
    LOW = 1
    HIGH = 2


class Team(enum.Enum):
    BILLING = "billing"
    TECH_SUPPORT = "tech-support"


class Item(BaseModel):
    """Something that was bought."""

    name: str
    price: Decimal = Field(ge=0, description="in euros")


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    tricks: list[str]


class Node(BaseModel):
    label: str
    children: list[Node] = Field(default_factory=list)


@dataclasses.dataclass
class Point:
    x: int
    y: int


class Pair(NamedTuple):
    left: int
    right: str


class Options(TypedDict, total=False):
    """How to do it."""

    fast: bool


class EmptyDict(TypedDict):
    pass


T = TypeVar("T")


class Box(BaseModel, Generic[T]):
    content: T


class Names(RootModel[list[str]]):
    """Names of people."""


Tree = TypeAliasType("Tree", "list[Tree] | int")


def field_of(annotation: Any, **options: Any) -> SignatureField:
    model = create_model("Answer", value=(annotation, Field(**options)))
    return Signature.of(Question, model).output_fields[0]


TEXTS: list[tuple[Any, dict[str, Any], str]] = [
    (str, {}, "string"),
    (str, {"max_length": 200}, "string, at most 200 characters"),
    (str, {"min_length": 1, "pattern": "^[a-z]+$"}, "string, at least 1 characters, matching ^[a-z]+$"),
    (int, {}, "integer"),
    (int, {"ge": 0, "le": 480}, "integer, at least 0, at most 480"),
    (int, {"multiple_of": 5}, "integer, a multiple of 5"),
    (float, {"gt": 0, "lt": 1}, "number, more than 0, less than 1"),
    (bool, {}, "true or false"),
    (None, {}, "null"),
    (Any, {}, "any JSON value"),
    (JsonValue, {}, "any JSON value"),
    (datetime, {}, "string, an ISO 8601 date-time"),
    (date, {}, "string, an ISO 8601 date"),
    (date, {"ge": date(2020, 1, 1)}, "string, an ISO 8601 date, not before 2020-01-01"),
    (time, {}, "string, an ISO 8601 time"),
    (timedelta, {}, "string, an ISO 8601 duration"),
    (timedelta, {"le": timedelta(hours=1)}, "string, an ISO 8601 duration, at most PT1H"),
    (UUID, {}, "string, a UUID"),
    (Decimal, {}, "string, a decimal number"),
    (Decimal, {"ge": 0, "decimal_places": 2}, "string, a decimal number, at least 0, at most 2 decimal places"),
    (bytes, {}, "string"),
    (SecretStr, {}, "string"),
    (AnyUrl, {}, "string, a URL"),
    (Literal["low", "normal", "high"], {}, 'one of "low", "normal", "high"'),
    (Literal["cat"], {}, 'exactly "cat"'),
    (Literal["a", 1, None], {}, 'one of "a", 1, null'),  # noqa: PYI061  (null among the members is the case)
    (Level, {}, "one of 1 (LOW), 2 (HIGH)"),
    (Team, {}, 'one of "billing", "tech-support"'),
    (list[int], {}, "list of integer"),
    (list[int], {"min_length": 1}, "list of integer, at least 1 items"),
    (list[Annotated[int, Field(ge=0)]], {}, "list of integer, at least 0"),
    (list[int | None], {}, "list of (integer or null)"),
    (set[int], {}, "list of integer without repeats"),
    (frozenset[Team], {}, 'list of one of "billing", "tech-support" without repeats'),
    (tuple[str, int], {}, "list of exactly 2: string, integer"),
    (tuple[int, ...], {}, "list of integer"),
    (tuple[()], {}, "empty list"),
    (list[int], {"max_length": 0}, "empty list"),
    (PastDate, {}, "string, an ISO 8601 date, in the past"),
    (dict[Annotated[str, Field(pattern="^k")], int], {}, "object with string (matching ^k) keys and integer values"),
    (dict[str, int], {"max_length": 2}, "object with string keys and integer values, at most 2 entries"),
    (EmptyDict, {}, "EmptyDict"),
    (Pair, {}, "list of exactly 2: integer, string"),
    (dict[str, int], {}, "object with string keys and integer values"),
    (dict[str, Annotated[int, Field(ge=0)]], {}, "object with string keys and (integer, at least 0) values"),
    (dict[Team, int], {}, 'object with (one of "billing", "tech-support") keys and integer values'),
    (dict[str, Any], {}, "object with string keys and any JSON values"),
    (dict[str, dict[str, int]], {}, "object with string keys and (object with string keys and integer values) values"),
    (int | None, {}, "integer or null"),
    (None | int | str, {}, "integer or string or null"),
    (Item, {}, "Item"),
    (list[Item], {"max_length": 3}, "list of Item, at most 3 items"),
    (Item | None, {}, "Item or null"),
    (Cat | Dog, {"discriminator": "kind"}, "Cat or Dog"),
    (list[Cat | Dog], {}, "list of (Cat or Dog)"),
    (Point, {}, "Point"),
    (Options, {}, "Options"),
    (Box[int], {}, "Box[int]"),
    (Names, {}, "list of string"),
    (Tree, {}, "Tree"),
]


@pytest.mark.parametrize(("annotation", "options", "text"), TEXTS, ids=[text for _, _, text in TEXTS])
def test_a_type_is_said_in_words_with_its_constraints(annotation: Any, options: dict[str, Any], text: str) -> None:
    assert field_of(annotation, **options).type_text == text


def test_constraints_are_there_one_by_one() -> None:
    assert field_of(int, ge=0, le=480).constraints == ("at least 0", "at most 480")
    assert field_of(list[Item], min_length=1).constraints == ("at least 1 items",)
    assert field_of(Item).constraints == ()


@pytest.mark.parametrize(
    ("annotation", "is_text"),
    [
        (str, True),
        (Annotated[str, Field(max_length=3)], True),
        (AnyUrl, True),
        (Literal["a", "b"], False),
        (Team, False),
        (str | None, False),
        (int, False),
        (date, False),
        (Decimal, False),
        (list[str], False),
        (Any, False),
    ],
)
def test_only_free_text_counts_as_text(annotation: Any, is_text: bool) -> None:
    assert field_of(annotation).is_text is is_text


class Rich(BaseModel):
    """Route a ticket."""

    level: Level = Field(description="how urgent it is")
    team: Team
    minutes: int = Field(ge=0, le=480, description="how long it takes")
    tags: list[Literal["new", "old"]] = Field(min_length=1, description="what is known")
    items: list[Item]
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    tree: Node
    note: str | None = None
    retries: int = 3
    seen: list[str] = Field(default_factory=list)
    when: datetime = Field(examples=["2024-05-01T10:00:00"], description="when it came")


def everything_shown(signature: Signature[Any, Any]) -> str:
    nested = [
        f"{one.name}: {one.description} {field.label} ({field.type_text}) {field.description}"
        for one in signature.output_definitions
        for field in one.fields
    ]
    own = [f"{field.label} ({field.type_text}): {field.description}" for field in signature.output_fields]
    return "\n".join([*own, *nested])


@pytest.mark.parametrize(
    "wanted",
    [
        *Rich.model_fields,
        *(name for model in (Item, Cat, Dog, Node) for name in model.model_fields),
        *(model.__name__ for model in (Item, Cat, Dog, Node)),
        *(f"{one.value} ({one.name})" for one in Level),
        *(f'"{one.value}"' for one in Team),
        '"new"',
        '"old"',
        '"cat"',
        '"dog"',
        "how urgent it is",
        "how long it takes",
        "what is known",
        "Something that was bought.",
        "in euros",
        "at least 0",
        "at most 480",
        "at least 1 items",
        "when it came",
        "2024-05-01T10:00:00",
        "or null",
    ],
)
def test_nothing_that_a_model_says_is_lost(wanted: str) -> None:
    assert wanted in everything_shown(Signature.of(Question, Rich))


def test_nested_types_come_in_the_order_of_reading_and_recursive_ones_once() -> None:
    assert [one.name for one in Signature.of(Question, Rich).output_definitions] == ["Item", "Cat", "Dog", "Node"]
    assert [one.name for one in Signature.of(Question, Node).output_definitions] == ["Node"]


def test_two_nested_types_of_one_name_are_told_apart() -> None:
    first, second = create_model("Part", a=(int, ...)), create_model("Part", __module__="elsewhere", b=(int, ...))
    model = create_model("Answer", first=(first, ...), second=(second, ...))
    signature = Signature.of(Question, model)
    names = [one.name for one in signature.output_definitions]
    assert len(set(names)) == 2
    assert [field.type_text for field in signature.output_fields] == names


def test_a_recursive_type_that_is_no_object_says_what_it_is() -> None:
    signature = Signature.of(Question, create_model("Answer", value=(Tree, ...)))
    [definition] = signature.output_definitions
    assert (definition.name, definition.type_text, definition.fields) == ("Tree", "list of Tree or integer", ())


@pytest.mark.parametrize(
    ("options", "required", "default", "has_default"),
    [
        ({}, True, None, False),
        ({"default": 3}, False, 3, True),
        ({"default": None}, False, None, True),
        ({"default_factory": int}, False, None, False),
        ({"default": object()}, False, None, False),
    ],
)
def test_a_default_is_shown_and_never_invented(
    options: dict[str, Any], required: bool, default: object, has_default: bool
) -> None:
    field = field_of(Any, **options)
    assert (field.required, field.default, field.has_default) == (required, default, has_default)


def test_examples_are_part_of_the_description() -> None:
    assert field_of(int, description="years", examples=[3, 4]).description == "years (for example 3, 4)"
    assert field_of(int, examples=[3]).description == "for example 3"


def test_an_enum_or_root_model_lends_its_docstring_to_a_field_without_a_description() -> None:
    assert field_of(Names).description == "Names of people."
    assert field_of(Names, description="who was there").description == "who was there"
    assert field_of(Item).description == ""  # the definition says it


def test_generated_docstrings_are_no_descriptions() -> None:
    definitions = Signature.of(Question, create_model("Answer", p=(Point, ...), o=(Options, ...))).output_definitions
    assert [(one.name, one.description) for one in definitions] == [("Point", ""), ("Options", "How to do it.")]


class Aliased(BaseModel):
    plain: int
    both: int = Field(alias="Both")
    split: int = Field(validation_alias="read", serialization_alias="written")
    choice: int = Field(validation_alias=AliasChoices(AliasPath("deep", 0), "first", "second"))
    path: int = Field(validation_alias=AliasPath("deep", 1))
    short: int = Field(validation_alias=AliasPath("brief"))


def test_labels_are_aliases_outputs_as_read_inputs_as_written() -> None:
    signature = Signature.of(Aliased, Aliased)
    assert [field.label for field in signature.output_fields] == ["plain", "Both", "read", "first", "path", "brief"]
    assert [field.label for field in signature.input_fields] == ["plain", "Both", "written", "choice", "path", "short"]
    assert [field.name for field in signature.output_fields] == list(Aliased.model_fields)


def test_two_fields_with_one_label_are_an_error_that_names_both() -> None:
    class Twice(BaseModel):
        x: int = Field(alias="y")
        y: int

    with pytest.raises(SignatureError, match=r"`Twice\.x` and `Twice\.y` are both called 'y'"):
        Signature.of(Question, Twice)


class Guarded(BaseModel):
    shown: int
    kept: int = Field(default=1, exclude=True)
    _secret: int = PrivateAttr(default=0)

    @computed_field
    def doubled(self) -> int:
        return self.shown * 2


def test_computed_private_and_excluded_fields_stay_out_of_a_prompt() -> None:
    signature = Signature.of(Guarded, Guarded)
    assert [field.name for field in signature.input_fields] == ["shown"]
    assert [field.name for field in signature.output_fields] == ["shown", "kept"]  # a reply has to give it


ODD = [
    "completed",
    "reasoning",
    "output",
    "input",
    "lm",
    "signature",
    "instructions",
    "a b",
    "größe",
    "名",
    "x-y",
    "0",
    "[[ ## a ## ]]",
]


@pytest.mark.parametrize("name", ODD)
def test_any_name_of_a_field_works_on_both_sides(name: str) -> None:
    model = create_model("Odd", **{name: (str, ...)})
    signature = Signature.of(model, model)
    value = model.model_validate({name: "v"})
    assert signature.dump_inputs(value) == {name: "v"}
    assert signature.validate_output({name: "v"}) == value
    assert list(signature.json_schema().schema["properties"]) == [name]
    assert name in signature.instructions


def test_a_root_model_and_a_union_are_one_field() -> None:
    signature = Signature.of(Cat | Dog, Names)
    assert [(one.name, one.type_text) for one in signature.input_fields] == [("input", "Cat or Dog")]
    assert [(one.name, one.type_text) for one in signature.output_fields] == [("output", "list of string")]
    assert [one.name for one in signature.input_definitions] == ["Cat", "Dog"]
    assert not signature.input_is_object
    assert not signature.output_is_object
    assert signature.instructions == "Names of people."


def test_a_union_may_have_a_name_of_its_own() -> None:
    pet = TypeAliasType("Pet", Cat | Dog)
    one = Signature.of(pet, pet)
    assert one.output_fields[0].type_text == "Cat or Dog"
    assert one.dump_inputs(Cat(kind="cat", lives=9)) == {"input": {"kind": "cat", "lives": 9}}
    assert one.validate_output({"output": {"kind": "dog", "tricks": []}}) == Dog(kind="dog", tricks=[])


def test_a_generic_model_is_read_with_its_arguments() -> None:
    assert Signature.of(Question, Box[list[int]]).output_fields[0].type_text == "list of integer"


def test_the_annotation_keeps_its_metadata() -> None:
    class Model(BaseModel):
        model_config = ConfigDict(frozen=True)
        age: Annotated[int, Field(ge=18)]

    annotation = Signature.of(Question, Model).output_fields[0].annotation
    assert annotation.__origin__ is int
    assert annotation.__metadata__[0].ge == 18


def test_the_schema_of_a_field_stands_alone() -> None:
    schema = field_of(list[Node]).schema
    assert schema["items"] == {"$ref": "#/$defs/Node"}
    assert set(schema["$defs"]) == {"Node"}
    assert not any(key.startswith("x-") for key in field_of(Level).schema)


def test_a_field_that_json_cannot_say_is_an_error_at_once() -> None:
    class Opaque:
        pass

    class Holder(BaseModel):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        thing: Opaque

    with pytest.raises(SignatureError, match="`Holder` has a field that no prompt can show"):
        Signature.of(Holder, Question)


def test_an_undefined_type_is_named() -> None:
    class Later(BaseModel):
        part: Missing  # noqa: F821

    with pytest.raises(SignatureError, match="names the type `Missing`, which is not defined"):
        Signature.of(Question, Later)
