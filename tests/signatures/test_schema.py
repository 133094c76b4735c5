"""The schema of a reply: closed, every key required, and open about what strict mode cannot say."""

from __future__ import annotations

import enum
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import AnyUrl, BaseModel, ConfigDict, Field, Json, RootModel, create_model

from dsp.signatures import OutputSchema, Signature

TAKEN = {
    "type", "properties", "required", "additionalProperties", "description", "anyOf", "enum", "const", "$ref", "$defs", "items",
    "pattern", "format", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minItems", "maxItems",
}  # fmt: skip


class Question(BaseModel):
    text: str


class Level(enum.Enum):
    LOW = 1
    HIGH = 2


class Item(BaseModel):
    """Something that was bought."""

    name: str
    note: str | None = None


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


class Node(BaseModel):
    label: str
    children: list[Node]


def schema_of(annotation: Any, **options: Any) -> OutputSchema:
    return Signature.of(Question, create_model("Out", value=(annotation, Field(**options)))).json_schema()


def value_of(schema: OutputSchema) -> dict[str, Any]:
    properties: Any = schema.schema["properties"]
    return properties["value"]


def check_strict(node: Any) -> None:
    """Every rule of strict mode that a schema can break."""
    if isinstance(node, list):
        for inner in node:
            check_strict(inner)
        return
    assert set(node) <= TAKEN, set(node) - TAKEN
    if "$ref" in node:
        assert set(node) == {"$ref"}
    if node.get("type") == "object":
        assert node["additionalProperties"] is False
        assert node["required"] == list(node["properties"])
    assert {"type", "anyOf", "$ref"} & node.keys()
    for key in ("properties", "$defs"):
        for inner in node.get(key, {}).values():
            check_strict(inner)
    for key in ("items", "anyOf"):
        if key in node:
            check_strict(node[key])


STRICT: list[tuple[Any, dict[str, Any]]] = [
    (str, {"max_length": 3, "pattern": "^a"}),
    (str, {"pattern": "(?i)a"}),
    (str, {"default": "x", "examples": ["y"], "title": "T"}),
    (int, {"ge": 0, "lt": 9, "multiple_of": 2}),
    (int | None, {"default": None}),
    (Literal["a", 1, None, True, 1.5], {}),  # noqa: PYI061  (null among the members is the case)
    (Level, {"default": Level.LOW}),
    (Decimal, {"ge": 0}),
    (date, {"ge": date(2020, 1, 1)}),
    (UUID, {}),
    (AnyUrl, {}),
    (bytes, {}),
    (Json[list[int]], {}),
    (set[int], {"min_length": 1}),
    (tuple[int, str, Item], {}),
    (tuple[int, int], {}),
    (list[tuple[int, str]], {}),
    (Item, {"description": "the one", "default": Item(name="x")}),
    (list[Item], {"default_factory": list}),
    (Cat | Dog, {"discriminator": "kind"}),
    (Node, {"description": "the tree"}),
    (Node | None, {}),
]


@pytest.mark.parametrize(("annotation", "options"), STRICT)
def test_a_strict_schema_keeps_to_the_rules_of_strict_mode(annotation: Any, options: dict[str, Any]) -> None:
    schema = schema_of(annotation, **options)
    assert schema.strict
    check_strict(schema.schema)


SAID: list[tuple[Any, dict[str, Any], str, str]] = [
    (str, {"max_length": 3}, "At most 3 characters.", "`value`: strict mode does not take `maxLength`"),
    (str, {"pattern": "(?i)a"}, "Matches (?i)a.", "`pattern`"),
    (int, {"default": 3}, "If nothing else fits: 3.", "`value` has a default"),
    (Level, {}, "One of 1 (LOW), 2 (HIGH).", ""),
    (Decimal, {"ge": 0}, "A decimal number, at least 0.", ""),
    (date, {"ge": date(2020, 1, 1)}, "Not before 2020-01-01.", ""),
    (AnyUrl, {}, "It is a URL.", "`format`"),
    (set[int], {}, "No item twice.", "`uniqueItems`"),
    (tuple[int, str], {}, "The items, in this order: integer; string.", "`value` has items of different types"),
    (int, {"description": "Years", "examples": [3]}, "Years. For example: 3.", ""),
    (Item, {"description": "the one"}, "the one", ""),
]


@pytest.mark.parametrize(("annotation", "options", "description", "why"), SAID)
def test_what_strict_mode_cannot_say_is_in_the_description(
    annotation: Any, options: dict[str, Any], description: str, why: str
) -> None:
    schema = schema_of(annotation, **options)
    assert value_of(schema)["description"] == description
    assert any(why in sentence for sentence in schema.why) if why else not schema.why


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    a: int


LOOSE: list[tuple[Any, str]] = [
    (dict[str, int], "`value` is an object with keys of any name"),
    (dict[str, Item], "`value` is an object with keys of any name"),
    (list[dict[str, int]], "each item of `value` is an object with keys of any name"),
    (Any, "`value` can be any JSON value"),
    (list[Any], "each item of `value` can be any JSON value"),
    (Open, "`Open` takes further keys"),
    (dict[Annotated[str, Field(pattern="^k")], int], "`value` is an object with keys of any name"),
]


@pytest.mark.parametrize(("annotation", "why"), LOOSE)
def test_an_open_type_is_not_strict_and_says_why(annotation: Any, why: str) -> None:
    schema = schema_of(annotation)
    assert not schema.strict
    assert any(why in sentence for sentence in schema.why)
    assert schema.schema["additionalProperties"] is False


def test_the_values_of_an_open_object_keep_their_type() -> None:
    schema = schema_of(dict[str, Item])
    assert value_of(schema)["additionalProperties"] == {"$ref": "#/$defs/Item"}
    assert schema.schema["$defs"]["Item"]["required"] == ["name", "note"]


def test_an_open_output_is_not_strict() -> None:
    schema = Signature.of(Question, Open).json_schema()
    assert (schema.strict, schema.schema["additionalProperties"]) == (False, True)


def test_a_plain_schema_to_the_letter() -> None:
    class Answer(BaseModel):
        text: str = Field(description="one sentence")
        level: Annotated[int, Field(ge=0, le=9)] = 5
        items: list[Item]

    schema = Signature.of(Question, Answer).json_schema()
    assert schema == OutputSchema(
        schema={
            "type": "object",
            "properties": {
                "text": {"type": "string", "description": "one sentence"},
                "level": {"type": "integer", "minimum": 0, "maximum": 9, "description": "If nothing else fits: 5."},
                "items": {"type": "array", "items": {"$ref": "#/$defs/Item"}},
            },
            "required": ["text", "level", "items"],
            "additionalProperties": False,
            "$defs": {
                "Item": {
                    "type": "object",
                    "properties": {
                        "name": {"type": "string"},
                        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                    },
                    "required": ["name", "note"],
                    "additionalProperties": False,
                    "description": "Something that was bought.",
                }
            },
        },
        strict=True,
        why=("`level` has a default; strict mode wants every key, so the description gives it.",),
    )


def test_a_value_that_is_no_object_is_wrapped() -> None:
    class Names(RootModel[list[str]]):
        pass

    schema = Signature.of(Question, Names).json_schema()
    assert schema.schema["properties"] == {"output": {"type": "array", "items": {"type": "string"}}}
    union = Signature.of(Question, Cat | Dog).json_schema()
    assert union.schema["properties"] == {"output": {"anyOf": [{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}]}}
    check_strict(union.schema)


def test_a_recursive_output_refers_to_itself() -> None:
    schema = Signature.of(Question, Node).json_schema()
    assert schema.schema["properties"]["children"]["items"] == {"$ref": "#/$defs/Node"}
    check_strict(schema.schema)


def test_keys_are_the_labels_in_nested_objects_too() -> None:
    class Inner(BaseModel):
        a: int = Field(alias="A")

    schema = schema_of(Inner)
    assert schema.schema["$defs"]["Inner"]["required"] == ["A"]


def test_the_schema_is_made_once() -> None:
    one = Signature.of(Question, Node)
    assert one.json_schema() is one.json_schema()
