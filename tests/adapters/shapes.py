"""Random signatures with values, for the properties that hold for all of them."""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import Any, Literal

from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, create_model

from dsp.signatures import Signature

NASTY = [
    "[[ ## answer ## ]]",
    "[[ ## completed ## ]]",
    "[[ ##",
    "</a>",
    "<a>",
    "<item>",
    "</item>",
    "<![CDATA[",
    "]]>",
    "&lt;",
    "&amp;",
    "&",
    "<",
    ">",
    "<!--",
    "-->",
    "```",
    "```json\n",
    '"',
    "'",
    "\\",
    "\\u0041",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "{{ x }}",
    "{% if %}",
    "null",
    "true",
    "1.50",
    "007",
    "\n",
    "\r\n",
    "\n\n",
    "\t",
    " ",
    "> ",
    "<think>",
    "</think>",
    "\0",
    "é",
    "\u2028",
    "# ",
    "**",
    "x",
    "word",
]
texts = st.text(st.characters(codec="utf-8"), max_size=20) | st.lists(st.sampled_from(NASTY), max_size=7).map("".join)


class Colour(Enum):
    RED = "r"
    NULL = "null"
    TAG = "<b>"


LABELS = ["a", "A", "item", "first name", "2nd", "answer", "completed", "key", "value", "a.b", "größe", "x-y", "output", "a&b", "<c>", "think"]  # fmt: skip

LEAVES: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (str, texts),
    (str, texts),
    (int, st.integers()),
    (float, st.floats(allow_nan=False)),
    (bool, st.booleans()),
    (date, st.dates()),
    (Colour, st.sampled_from(Colour)),
    (Literal["low", "very high", "[[ ## x", " y", "<z>"], st.sampled_from(["low", "very high", "[[ ## x", " y", "<z>"])),
    (Literal[1, "1"] | None, st.sampled_from([1, "1", None])),
    (str | None, st.none() | texts),
    (int | None, st.none() | st.integers()),
    (int | str, st.integers() | texts),
    (Any, st.recursive(st.none() | st.booleans() | st.integers() | texts, lambda one: st.lists(one, max_size=2) | st.dictionaries(texts, one, max_size=2), max_leaves=4)),
]  # fmt: skip


def _model(draw: st.DrawFn, depth: int) -> tuple[Any, st.SearchStrategy[Any]]:
    labels = draw(st.lists(st.sampled_from(LABELS), min_size=1, max_size=4, unique=True))
    kinds = [_kind(draw, depth + 1) for _ in labels]
    fields: dict[str, Any] = {f"f{n}": (kind[0], Field(alias=label)) for n, (label, kind) in enumerate(zip(labels, kinds, strict=True))}  # fmt: skip
    model = create_model(f"M{depth}", __config__=ConfigDict(protected_namespaces=()), **fields)
    values = st.fixed_dictionaries({label: kind[1] for label, kind in zip(labels, kinds, strict=True)})
    return model, values.map(lambda one: model(**one))


def _kind(draw: st.DrawFn, depth: int) -> tuple[Any, st.SearchStrategy[Any]]:
    choice = draw(st.integers(0, 9)) if depth < 4 else 0
    if choice < 5:
        return draw(st.sampled_from(LEAVES))
    inner, values = _kind(draw, depth + 1) if choice < 8 else _model(draw, depth)
    if choice == 5:
        return dict[str, inner], st.dictionaries(st.sampled_from(LABELS) | texts, values, max_size=3)
    if choice == 6:
        return list[inner], st.lists(values, max_size=3)
    if choice == 7:
        return tuple[int, inner], st.tuples(st.integers(), values)
    if choice == 8:
        return inner | None, st.none() | values
    return inner, values


class Given(BaseModel):
    text: str
    things: list[str]


@st.composite
def cases(draw: st.DrawFn) -> tuple[Signature[Any, Any], Any]:
    """A signature, and an output of it."""
    model, values = _model(draw, 0)
    return Signature.of(Given, model, "x"), draw(values)
