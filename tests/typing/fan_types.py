"""One input to several programs: `&`, `also` and `join`."""

from __future__ import annotations

import asyncio
from collections.abc import Sized
from typing import TYPE_CHECKING, assert_type

from dsp import Prediction, Program, program
from dsp.programs import Fan, Joined, Pipeline, Step


@program
def length(text: str) -> int:
    return len(text)


@program
async def upper(text: str) -> str:
    return text.upper()


@program
def blank(text: str) -> bool:
    return not text


@program
def half(number: int) -> float:
    return number / 2


@program
def anything(value: object) -> str:
    return repr(value)


def report(count: int, text: str, empty: bool) -> dict[str, object]:
    return {"count": count, "text": text, "empty": empty}


two = length & upper
three = two.also(blank)
assert_type(length, Step[str, int])
assert_type(upper, Step[str, str])
assert_type(two, Fan[str, int, str])
assert_type(two("ab"), tuple[int, str])
assert_type(three, Fan[str, int, str, bool])
assert_type(three("ab"), tuple[int, str, bool])
assert_type(three.run("ab"), Prediction[tuple[int, str, bool]])
assert_type(three.also(length)("ab"), tuple[int, str, bool, int])
assert_type(two & blank, Fan[str, tuple[int, str], bool])
assert_type((two & blank)("ab"), tuple[tuple[int, str], bool])
assert_type(two.also(anything), Fan[str, int, str, str])

assert_type(length & anything, Fan[str, int, str])
assert_type(Step(len) & anything, Fan[Sized, int, str])

joined = three.join(report)
assert_type(joined, Joined[str, dict[str, object]])
assert_type(joined("ab"), dict[str, object])
assert_type(three.join(lambda count, text, empty: (text, count + 1, empty)), Joined[str, tuple[str, int, bool]])
assert_type(two.join(lambda count, text: text * count) >> length, Pipeline[str, int])
as_program: Program[str, tuple[int, str]] = two


async def calls() -> None:
    assert_type(await three.acall("ab"), tuple[int, str, bool])
    assert_type(await joined.acall("ab"), dict[str, object])


asyncio.run(calls())

if TYPE_CHECKING:

    def wrong_type(count: str, text: str, empty: bool) -> str:
        return count

    def wrong_order(text: str, count: int, empty: bool) -> str:
        return text

    def too_few(count: int, text: str) -> str:
        return text

    def too_many(count: int, text: str, empty: bool, more: int) -> str:
        return text

    length & half  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue, reportUnusedExpression]
    length & report  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue, reportUnusedExpression]
    length & 3  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue, reportUnusedExpression]
    two.also(half)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    two.also(report)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    three.join(wrong_type)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    three.join(wrong_order)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    three.join(too_few)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    three.join(too_many)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    three.join(lambda count, text: text)  # type: ignore[arg-type, misc]  # pyright: ignore[reportArgumentType]
    three.join(lambda count, text, empty: count.upper())  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownLambdaType, reportUnknownMemberType]
    three(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    three("ab")[3]  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
    first: str = three("ab")[0]  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    joined("ab").txet  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    swapped: Program[str, tuple[str, int]] = two  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

assert three("ab") == (2, "AB", False)
assert joined("ab") == {"count": 2, "text": "AB", "empty": False}
assert (two.join(lambda count, text: text * count) >> length)("ab") == 4
