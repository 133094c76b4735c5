"""Hypothesis strategies: random signatures, values of their models, and the mess that models make of JSON.

Hypothesis is no dependency of dsp: install it beside dsp to use this module.
"""

from __future__ import annotations

import json
import re
from datetime import date
from enum import Enum
from types import GenericAlias, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.fields import FieldInfo

from dsp.signatures import Signature

try:
    from hypothesis import strategies as st
except ImportError as _missing:  # pragma: no cover  (hypothesis is installed where the tests run)
    raise ImportError("dsp.testing.strategies needs Hypothesis; run `pip install hypothesis`.") from _missing

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy
    from pydantic import JsonValue

__all__ = ["mess", "models", "signatures", "texts", "values"]

M = TypeVar("M", bound=BaseModel)

PIECES = [
    "[[ ## answer ## ]]", "[[ ## completed ## ]]", "</answer>", "<![CDATA[", "]]>", "&lt;", "&", "<", ">", "```", "```json\n",
    '"', "'", "`", "\\", "\\n", "{", "}", "[", "]", "(", ")", ",", ":", ";", "=", "//", "/*", "#", "{{ x }}", "{% if %}",
    "null", "true", "None", "1.50", "007", "...", "\n", "\r\n", "\t", " ", "</think>", "é", "\u201c", "\u201d", "\u2028",
    "**", "x", "word", "word, word: word", '"x": 1',
]  # fmt: skip
NAMES = ["text", "answer", "item", "first_name", "score", "notes", "Kind", "sub-title", "a b", "größe", "value2"]
IDENTIFIER = re.compile(r"[A-Za-z_]\w*\Z")
PROSE = ["Here you are:", "Sure!", "The answer is below.", "**Result**", "I hope this helps.", "Let me know."]


class Colour(Enum):
    """A choice whose names and values differ."""

    RED = "r"
    DARK_BLUE = "db"


def texts(*, max_size: int = 20) -> SearchStrategy[str]:
    """Texts of all letters, and texts made of what parsers trip over: markers, tags, fences, quotes, brackets.

    Args:
        max_size: The most letters of a text of the first kind.
    """
    pieces = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
    return st.text(st.characters(codec="utf-8"), max_size=max_size) | pieces


def models(*, max_fields: int = 4, depth: int = 3) -> SearchStrategy[type[BaseModel]]:
    """Models with fields of all kinds: scalars, choices, optionals, unions, lists, dicts, tuples and other models.

    Args:
        max_fields: The most fields of one model.
        depth: How deep models and containers nest.
    """
    return _models(max_fields, depth)


@st.composite
def _models(draw: DrawFn, max_fields: int, depth: int) -> type[BaseModel]:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=max_fields, unique=True))
    fields: dict[str, Any] = {}  # what `create_model` takes: pairs of a type and a field
    for number, name in enumerate(names):
        kind = draw(_types(max_fields, depth - 1))
        if draw(st.integers(0, 5)) == 0:
            fields[f"field{number}"] = (kind | None, Field(default=None, alias=name))
        else:
            fields[f"field{number}"] = (kind, Field(alias=name))
    config = ConfigDict(protected_namespaces=(), populate_by_name=True)
    return create_model(draw(st.sampled_from(["Reply", "Report", "Part"])), __config__=config, **fields)


@st.composite
def _types(draw: DrawFn, max_fields: int, depth: int) -> Any:  # an annotation of any form: types have no type
    leaves: list[object] = [
        str, str, int, float, bool, date, Colour, Literal["low", "very high", "HIGH"], Literal[1, 2], int | None, str | None,
        Annotated[int, Field(ge=0, le=100)],
    ]  # fmt: skip
    choice = draw(st.integers(0, 9)) if depth > 0 else 0
    if choice < 6:
        return draw(st.sampled_from(leaves))
    inner = draw(_types(max_fields, depth - 1))
    if choice == 6:
        return GenericAlias(list, (inner,))
    if choice == 7:
        return GenericAlias(dict, (str, inner))
    if choice == 8:
        return GenericAlias(tuple, (int, inner))
    return draw(_models(max_fields, depth - 1))


def values(model: type[M]) -> SearchStrategy[M]:
    """Instances of a model.

    Args:
        model: A model whose fields have types that JSON can say; constraints that `annotated-types` knows are kept.
    """
    return cast("SearchStrategy[M]", _values(model))


def _values(kind: Any) -> SearchStrategy[Any]:  # any type gives any value
    if kind is str:
        return texts()
    if kind is float:
        return st.floats(allow_nan=False, allow_infinity=False)
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        limits = [one for part in parts[1:] for one in (part.metadata if isinstance(part, FieldInfo) else [part])]
        return st.from_type(cast("type[Any]", Annotated[(parts[0], *limits)])) if limits else _values(parts[0])
    if origin in (Union, UnionType):
        return st.one_of([_values(part) for part in parts])
    if origin is list:
        return st.lists(_values(parts[0]), max_size=3)
    if origin is tuple and parts[-1:] != (...,):
        return st.tuples(*(_values(part) for part in parts))
    if origin is dict and parts[0] is str:
        return st.dictionaries(st.sampled_from(NAMES) | texts(max_size=5), _values(parts[1]), max_size=3)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        members = {
            info.alias or name: _values(
                Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
            )
            for name, info in kind.model_fields.items()
        }
        return st.fixed_dictionaries(members).map(kind.model_validate)
    return st.from_type(cast("type[Any]", kind))


@st.composite
def _signatures(draw: DrawFn, max_fields: int, depth: int) -> Signature[BaseModel, BaseModel]:
    return Signature[BaseModel, BaseModel].of(
        draw(_models(max_fields, 1)), draw(_models(max_fields, depth)), draw(st.none() | texts()) or "x"
    )


def signatures(*, max_fields: int = 4, depth: int = 3) -> SearchStrategy[Signature[BaseModel, BaseModel]]:
    """Signatures of random models.

    Args:
        max_fields: The most fields of one model.
        depth: How deep the outputs nest.
    """
    return _signatures(max_fields, depth)


def mess(value: JsonValue, *, around: bool = True) -> SearchStrategy[str]:
    """Texts that say a JSON value as models do: other quotes, bare keys, comments, stray commas, a fence, prose.

    What a text says stays beyond doubt: quotes within strings are escaped, no bracket is missing and no value is said twice.

    Args:
        value: What is said.
        around: Whether prose, a fence or thinking may stand around it.
    """
    return _mess(value, around)


@st.composite
def _mess(draw: DrawFn, value: JsonValue, around: bool) -> str:
    write = _Writer(draw)
    text = write.value(value)
    if not around:
        return text
    if draw(st.booleans()):
        fence = draw(st.sampled_from(["```json", "```", "~~~", "```python"]))
        text = f"{fence}\n{text}\n{fence[:3]}"
    if draw(st.booleans()) and isinstance(value, dict | list):
        text = f"{draw(st.sampled_from(PROSE))}\n\n{text}\n\n{draw(st.sampled_from(PROSE))}"
    if draw(st.integers(0, 3)) == 0:
        text = f"<think>\nThe user wants {{'a': 1}}, I think.\n</think>\n{text}"
    return text


class _Writer:
    """Writes JSON untidily, in one hand: what it likes it does throughout."""

    def __init__(self, draw: DrawFn) -> None:
        flags = st.booleans()
        self.draw = draw
        self.quotes = draw(st.sampled_from(["both", "single", "double"]))
        self.ascii = draw(flags)
        self.bare_keys = draw(flags)
        self.python = draw(flags)
        self.trailing = draw(flags)
        self.comments = draw(flags)
        self.indent = draw(flags)

    def value(self, value: JsonValue, depth: int = 0) -> str:
        if isinstance(value, dict):
            members = [f"{self.key(key)}:{self.space()}{self.value(one, depth + 1)}" for key, one in value.items()]
            return self.block("{", members, "}", depth)
        if isinstance(value, list):
            return self.block("[", [self.value(one, depth + 1) for one in value], "]", depth)
        if isinstance(value, str):
            return self.string(value)
        if self.python and (value is None or isinstance(value, bool)):
            return str(value)
        return json.dumps(value)

    def block(self, opening: str, parts: list[str], closing: str, depth: int) -> str:
        if not parts:
            return opening + closing
        gap = "\n" + "  " * (depth + 1) if self.indent else self.space()
        end = "," if self.trailing else ""
        remark = f" {self.draw(st.sampled_from(['// as asked', '/* a, b: c */', '# note']))}\n" if self.comments else ""
        return f"{opening}{gap}{f',{gap}'.join(parts)}{end}{remark}{gap.rstrip(' ')}{closing}"

    def key(self, key: str) -> str:
        return key if self.bare_keys and IDENTIFIER.match(key) else self.string(key)

    def string(self, text: str) -> str:
        written = json.dumps(text, ensure_ascii=self.ascii)
        single = self.quotes == "single" or (self.quotes == "both" and self.draw(st.booleans()))
        if not single:
            return written
        return "'" + written[1:-1].replace('\\"', '"').replace("'", "\\'") + "'"

    def space(self) -> str:
        return self.draw(st.sampled_from(["", " "]))
