"""Where in a text a value may stand: the whole of it, a fenced block, an object or array within prose."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from pydantic_core import from_json

from dsp.repair.syntax import Budget, SyntaxFault, read_value, skip

if TYPE_CHECKING:
    from pydantic import JsonValue

__all__ = ["Candidate", "candidates", "strict", "visible"]

MOST = 32
"""How many places of one text are tried."""
OPEN = re.compile(r"[{\[]")
MEANT = re.compile(r"\{\s{0,200}(?:[\"'“]|\w{1,40}\s{0,20}:)|\[\s{0,200}[\"'“{\[]")
"""What begins like this was meant as JSON; `{name}` and `[1]` in prose were not."""
FENCE = re.compile(r"```[ \t]*[\w+-]{0,20}[ \t]*\r?\n?\s{0,200}\Z")
WHOLE_FENCE = re.compile(
    r"```[ \t]*(?:json5?|JSON|jsonc|text|txt|python|yaml)?[ \t]*\r?\n(.*?)\n?[ \t]*```\Z", re.DOTALL
)
THOUGHT = re.compile(r"\s*<(think|thinking|thought)>")


@dataclass(frozen=True)
class Candidate:
    """A value that stands somewhere in a text."""

    value: JsonValue
    repairs: tuple[str, ...]
    weight: int
    """How much speaks for it by its place: 3 the whole text, 2 a fenced block, 1 within prose."""


def strict(text: str) -> JsonValue:
    """The text as JSON.

    Raises:
        ValueError: It is no JSON, or nests deeper than the parser goes.
    """
    try:
        # from_json is typed as Any; it gives nothing but JSON values.
        return cast("JsonValue", from_json(text))
    except TypeError as error:
        raise ValueError("half of a surrogate pair is no text") from error


def visible(text: str) -> tuple[str, tuple[str, ...]]:
    """The text without a byte order mark, outer space and a leading block of thinking; and what was taken off."""
    text = text.strip().removeprefix("\ufeff").strip()
    matched = THOUGHT.match(text)
    if matched is None:
        close = text.find("</think>")
        # Some servers send the end of the thinking without its beginning.
        if (
            close >= 0
            and text[close + 8 :].strip()
            and "<think" not in text[:close]
            and not text.startswith(("{", "["))
        ):
            return text[close + 8 :].strip(), ("thinking removed",)
        return text, ()
    close_tag = f"</{matched[1]}>"
    close = text.rfind(close_tag) if text.count(close_tag) == 1 else text.find(close_tag)
    if close < 0:
        return text, ()
    return text[close + len(close_tag) :].strip(), ("thinking removed",)


def candidates(text: str) -> tuple[list[Candidate], SyntaxFault | None]:
    """Every value that the text may mean, and the fault of the most promising place where none could be read.

    Args:
        text: The text, as `visible` leaves it, and no strict JSON.
    """
    budget = Budget(2_000_000)
    whole, fault = _whole(text, budget)
    if whole is not None:
        return [whole], None
    found: list[Candidate] = []
    position = 0
    allowance = 4 * len(text) + 10_000
    for _ in range(MOST):
        opened = OPEN.search(text, position)
        if opened is None:
            break
        start = opened.start()
        notes: dict[str, None] = {}
        try:
            value, position = read_value(text, start, budget, notes)
        except SyntaxFault as problem:
            if fault is None or fault.position < problem.position:
                fault = problem
            allowance -= problem.position - start
            if problem.cut or allowance < 0 or budget.steps < 0 or MEANT.match(text, start):
                break  # a part of a broken value is not the value
            position = start + 1
            continue
        if isinstance(value, (dict, list)) and value:
            fenced = FENCE.search(text[max(0, start - 240) : start]) is not None
            found.append(Candidate(value, ("taken out of the text around it", *notes), 2 if fenced else 1))
    return found, fault


def _whole(text: str, budget: Budget) -> tuple[Candidate | None, SyntaxFault | None]:
    """The text, or the one fenced block that it is, read as one value."""
    repairs: tuple[str, ...] = ()
    fenced = WHOLE_FENCE.match(text) if text.startswith("```") and text.endswith("```") else None
    if fenced is not None and "```" not in fenced[1]:
        text, repairs = fenced[1].strip(), ("fence removed",)
        try:
            return Candidate(strict(text), repairs, 3), None
        except ValueError:
            pass  # not strict JSON: mended below
    if text[:1] not in ("{", "[", '"', "'", "“"):
        return None, None
    notes: dict[str, None] = {}
    try:
        value, end = read_value(text, 0, budget, notes)
        end = skip(text, end, notes)
    except SyntaxFault as problem:
        return None, problem
    rest = text[end:].strip()
    if not rest:
        return Candidate(value, (*repairs, *notes), 3), None
    if isinstance(value, (dict, list)) and rest in (";", ",", "."):
        return Candidate(value, (*repairs, *notes, f"`{rest}` after the value removed"), 3), None
    return None, None
