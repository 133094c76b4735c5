"""Values between tags: text as it is or as CDATA, objects and lists as tags, everything else as JSON."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pydantic import JsonValue

    from dsp.lm.backends.embedded.field import Field
    from dsp.lm.backends.embedded.shape import Shape

__all__ = ["XMLForm"]

TAIL = re.compile(r"\n\nAnswer with (?:`<[^<>`\n]+>`(?:, )?)+\.\Z")
"""How a prompt ends. No value can stand at its end: a closing tag follows each."""
NAME = re.compile(r"[^\W\d][\w.\-]*\Z")
UNFIT = re.compile(r"[^\w.\-]+")
MARKUP = re.compile(r"<[\w/!?]|&(?:lt|gt|amp|quot|apos|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});")
TAG = re.compile(r"<!\[CDATA\[|<(/?)([^\W\d][\w.\-]*)>")
CDATA, END = "<![CDATA[", "]]>"
TYPED = frozenset(("date-time", "date", "time", "duration", "uuid", "decimal"))
DEPTH = 40


class XMLForm:
    """Each value between tags of its own."""

    def inputs(
        self, text: str, fields: Sequence[Field], definitions: Mapping[str, Sequence[Field]]
    ) -> dict[str, JsonValue] | None:
        """The values in a user message, without the prompt's own last line."""
        return self.outputs(TAIL.sub("", text), fields, definitions)

    def outputs(
        self, text: str, fields: Sequence[Field], definitions: Mapping[str, Sequence[Field]]
    ) -> dict[str, JsonValue] | None:
        """The values in an assistant message."""
        elements = dict(_elements(text))
        tags = _tags(field.label for field in fields)
        found: dict[str, JsonValue] = {}
        for field in fields:
            if (raw := elements.get(tags[field.label])) is not None:
                found[field.label] = _value(raw, field.shape, definitions, 0)
        return found or None

    def write(self, values: Mapping[str, JsonValue], fields: Sequence[Field]) -> str:
        """The tags of each value."""
        shapes = {field.label: field.shape for field in fields}
        tags = _tags(shapes)
        return "\n".join(
            f"<{tags[label]}>{_raw(value, shapes[label])}</{tags[label]}>" for label, value in values.items()
        )


def _tags(labels: Iterable[str]) -> dict[str, str]:
    """The tag of each label: itself where it is a name, else with `_` for what a name cannot hold, and a number if taken."""
    labels = list(labels)
    tags = {label: label for label in labels if NAME.match(label)}
    for label in labels:
        if label not in tags:
            tag = UNFIT.sub("_", label)
            stem = tag = tag if NAME.match(tag) else f"_{tag}"
            number = 1
            while tag in tags.values():
                number += 1
                tag = f"{stem}_{number}"
            tags[label] = tag
    return tags


def _elements(text: str) -> list[tuple[str, str]]:
    """The elements that follow each other in a text, with what stands between their tags."""
    found: list[tuple[str, str]] = []
    name, start, depth, position = "", 0, 0, 0
    while (tag := TAG.search(text, position)) is not None:
        position = tag.end()
        if tag[2] is None:
            end = text.find(END, position)
            position = end + len(END) if end >= 0 else len(text)
        elif not name:
            if not tag[1]:
                name, start, depth = tag[2], position, 0
        elif tag[2] == name:
            depth += -1 if tag[1] else 1
            if depth < 0:
                found.append((name, text[start : tag.start()]))
                name = ""
    return found


def _value(raw: str, shape: Shape, definitions: Mapping[str, Sequence[Field]], depth: int) -> JsonValue:
    text = _plain(raw)
    if shape.kind == "string" and shape.form not in TYPED:
        return text
    if shape.kind == "union" and len(shape.items) == 2 and any(one.kind == "null" for one in shape.items):
        other = next((one for one in shape.items if one.kind != "null"), shape)
        if other.kind in ("list", "tuple", "map", "model"):
            shape = other
    inner = (
        _elements(raw) if raw.lstrip().startswith("<") and not raw.lstrip().startswith(CDATA) and depth < DEPTH else []
    )
    if inner and shape.kind in ("list", "tuple") and shape.items:
        last = len(shape.items) - 1
        return [_value(one, shape.items[min(n, last)], definitions, depth + 1) for n, (_, one) in enumerate(inner)]
    if inner and shape.kind == "map" and shape.items:
        return {name: _value(one, shape.items[-1], definitions, depth + 1) for name, one in inner}
    if inner and shape.kind == "model" and shape.name in definitions:
        tags = _tags(field.label for field in definitions[shape.name])
        elements = dict(inner)
        return {
            field.label: _value(elements[tags[field.label]], field.shape, definitions, depth + 1)
            for field in definitions[shape.name]
            if tags[field.label] in elements
        }
    if text in shape.options:
        return text
    try:
        return cast("JsonValue", json.loads(text))  # json.loads is typed as Any, and gives nothing else
    except (ValueError, RecursionError):
        return text


def _plain(raw: str) -> str:
    text = raw.strip()
    if not text.startswith(CDATA):
        return text
    return "".join(text[len(CDATA) : -len(END)].split(END + CDATA))


def _raw(value: JsonValue, shape: Shape) -> str:
    bare = isinstance(value, str) and (shape.kind == "choice" or (shape.kind == "string" and shape.form not in TYPED))
    text = value if bare and isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if text == text.strip() and not MARKUP.search(text):
        return text
    return f"{CDATA}{text.replace(END, f']]{END}{CDATA}>')}{END}"
