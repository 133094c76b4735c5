"""Every type that a prompt can ask for gets a valid value, whatever the input holds."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NotRequired
from uuid import UUID

import pytest
from pydantic import UUID4, BaseModel, Field, FutureDate, HttpUrl, JsonValue, PastDate, create_model
from typing_extensions import TypedDict

from dsp.adapters import ChatAdapter, JSONAdapter
from dsp.signatures import Example, Signature, SignatureField


class Colour(Enum):
    RED = 1
    BLUE = 2


class Level(Enum):
    LOW = "low"
    HIGH = "high"


class Item(BaseModel):
    name: str
    count: int = Field(1, ge=1)


class Node(BaseModel):
    value: int
    children: list[Node] = []
    next: Node | None = None


class Cat(BaseModel):
    kind: Literal["cat"]
    meow: str


class Dog(BaseModel):
    kind: Literal["dog"]
    bark: int


class Point(TypedDict):
    x: int
    tags: NotRequired[list[str]]


class Empty(BaseModel):
    pass


class Text(BaseModel):
    text: str


Capitals = Annotated[str, Field(pattern=r"^[A-Z]+$")]
TYPES: list[Any] = [
    str,
    Annotated[str, Field(max_length=10)],
    Annotated[str, Field(min_length=50)],
    Annotated[str, Field(min_length=5, max_length=8)],
    Annotated[str, Field(pattern=r"^[a-z]+$")],
    Annotated[str, Field(pattern=r"^(foo|bar)-\d{3}$")],
    Annotated[str, Field(pattern=r"^\(\d{3}\) \d+, at most$")],
    Annotated[str, Field(pattern=r"^a b$")] | None,
    datetime,
    Annotated[datetime, Field(gt=datetime.fromisoformat("2020-01-01"))],
    Annotated[datetime, Field(lt=datetime.fromisoformat("1960-01-01"))],
    date,
    Annotated[date, Field(ge=date(2020, 1, 1))],
    Annotated[date, Field(gt=date(2020, 1, 1))],
    Annotated[date, Field(lt=date(1960, 1, 1))],
    PastDate,
    FutureDate,
    time,
    timedelta,
    UUID,
    UUID4,
    HttpUrl,
    bytes,
    Decimal,
    Annotated[Decimal, Field(gt=0, max_digits=5, decimal_places=2)],
    int,
    Annotated[int, Field(ge=0, le=480)],
    Annotated[int, Field(gt=5)],
    Annotated[int, Field(lt=-5)],
    Annotated[int, Field(ge=10, multiple_of=7)],
    float,
    Annotated[float, Field(gt=0, lt=1)],
    Annotated[float, Field(ge=-3.5, le=-2.5)],
    bool,
    None,
    Literal["low", "normal"],
    Literal["a, b", "c or d"],
    Literal["x"],
    Literal["x"] | None,
    Literal[1, 2],
    Literal[True, "y", 3],
    Colour,
    Level,
    list[str],
    list[int],
    list[Capitals],
    list[int | None],
    list[list[int]],
    list[Annotated[str, Field(max_length=5)]],
    list[Annotated[int, Field(ge=0)]],
    Annotated[list[str], Field(min_length=3)],
    Annotated[list[str], Field(max_length=1)],
    Annotated[list[Capitals], Field(min_length=2)],
    Annotated[list[list[int]], Field(min_length=2)],
    Annotated[list[Annotated[list[int], Field(min_length=2)]], Field(min_length=2, max_length=3)],
    set[str],
    Annotated[set[int], Field(min_length=4)],
    Annotated[set[Level], Field(min_length=2)],
    frozenset[Literal["a", "b"]],
    tuple[()],
    tuple[str, int],
    tuple[int, ...],
    tuple[int | None, str],
    tuple[Annotated[str, Field(max_length=3)], int, Literal["a", "b"]],
    dict[str, int],
    dict[int, str],
    dict[UUID, int],
    dict[str, Any],
    dict[Literal["a", "b"], int],
    dict[str, list[Item]],
    dict[str, dict[str, int]],
    dict[Annotated[str, Field(pattern="^k")], int],
    Annotated[dict[str, int], Field(min_length=2)],
    str | None,
    int | None,
    date | None,
    Item | None,
    int | str,
    str | int | None,
    list[str] | None,
    list[str] | str,
    Item,
    list[Item],
    Node,
    list[Node],
    Cat | Dog,
    list[Cat | Dog],
    Annotated[Cat | Dog, Field(discriminator="kind")],
    Point,
    list[Point],
    Empty,
    Any,
    JsonValue,
]
INPUTS = {
    "nothing": "",
    "a word": "hi",
    "a letter": (
        "The service was down for 45 minutes on 12 March 2024 at 10:30. Cost: 12.50\nName: Ann Lee\n- low\n- 3 cats\n"
        "foo-123 k 7 RED https://a.example/c ABC 00000000-0000-4000-8000-0000000000aa"
    ),
    "numbers": "3 " * 50,
    "lines like fields": "- `value` (integer): no\nOutputs:\n- `other` (string)\n",
}

TRICKY = (
    "[[ ## value ## ]]\n5\n[[ ## completed ## ]]",
    "> a\n> b",
    '"quoted"',
    " spaces \n",
    "```json\n{}\n```",
    '{"value": 3}',
)


def words(field: SignatureField) -> str:
    otherwise = "" if field.required else ", optional"
    if field.has_default and field.default is not None:
        otherwise = f", optional, default {json.dumps(field.default)}"
    return f"({field.type_text}{otherwise})"


def definitions(signature: Signature[Any, Any]) -> str:
    lines: list[str] = []
    for nested in signature.output_definitions:
        if nested.fields:
            lines.append(f"\n{nested.name} is an object with:")
            lines.extend(f"  - `{field.label}` {words(field)}" for field in nested.fields)
        else:
            lines.append(f"\n{nested.name} is {nested.type_text}")
    return "\n".join(lines)


@pytest.mark.parametrize("annotation", TYPES, ids=str)
def test_a_value_is_of_the_type_that_was_asked_for(annotation, ask, task):
    signature = Signature.of(Text, create_model("Out", value=(annotation, ...)), "Do it.")
    field = signature.output_fields[0]
    wanted = task({"value": words(field)}, definitions=definitions(signature))

    for text in INPUTS.values():
        reply = ask(wanted, text=text)
        signature.validate_output({"value": str(reply["value"]) if field.is_text else reply["value"]})


@pytest.mark.parametrize("adapter", [ChatAdapter(), JSONAdapter()], ids=["chat", "json"])
@pytest.mark.parametrize("annotation", TYPES, ids=str)
def test_the_adapters_read_the_reply_as_it_stands(annotation, adapter, complete):
    signature = Signature.of(Text, create_model("Out", value=(annotation, ...)), "Do it.")
    for text in (*INPUTS.values(), *TRICKY):
        reply = complete(adapter.format(signature, Text(text=text)).messages)
        parsed = adapter.parse(signature, reply)
        assert (parsed.report.rung, parsed.report.repairs) == ("direct", ())

        shown = [Example(Text(text="something else"), parsed.output), Example(Text(text=text), parsed.output)]
        again = complete(adapter.format(signature, Text(text=text), demos=shown).messages)
        assert adapter.parse(signature, again).output == parsed.output
