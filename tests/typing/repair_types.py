"""`dsp.repair`: a value of any type out of messy text, with that type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, assert_type

from pydantic import BaseModel, JsonValue, TypeAdapter

from dsp import Aliases, repair


class Answer(BaseModel):
    text: str = ""


class Refusal(BaseModel):
    why: str


Mood = Annotated[Literal["good", "bad"], Aliases({"fine": "good"})]

assert_type(repair.parse("3", int), repair.Repaired[int])
assert_type(repair.parse("It is [1, 2,].", list[int]).value, list[int])
assert_type(repair.parse("{text: 'Paris'}", Answer).value.text, str)
assert_type(repair.parse('{"why": "no"}', Answer | Refusal).value, Answer | Refusal)
assert_type(repair.parse('"a"', Literal["a", "b"]).value, Literal["a", "b"])
assert_type(repair.parse("null", Answer | None).value, Answer | None)
assert_type(repair.parse("3", int).repairs, tuple[str, ...])
assert_type(repair.loads("{text: 1}"), JsonValue)
mood: Literal["good", "bad"] = TypeAdapter[Literal["good", "bad"]](Mood).validate_python("fine")

if TYPE_CHECKING:
    repair.parse("3", 3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    repair.parse("3", "a number")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    repair.parse(3, int)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    repair.parse("3", int).value.upper()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    repair.parse("3", int).repair  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    repair.parse("{}", Answer | Refusal).value.text  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    word: Literal["a"] = repair.parse('"a"', Literal["a", "b"]).value  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    repair.loads("{}")["text"]  # type: ignore[call-overload, index]  # pyright: ignore[reportArgumentType, reportCallIssue, reportIndexIssue, reportOptionalSubscript]
    Aliases({"one": 1})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
    Aliases(["fine", "good"])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

assert repair.parse("It is [1, 2,].", list[int]).value == [1, 2]
assert mood == "good"
