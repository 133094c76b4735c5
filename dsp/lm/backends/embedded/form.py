"""How values are laid out in a prompt's messages and in the reply: chat markers, one JSON object, or tags.

A form is told by the heading under which a system message asks for it. To add one, write a class with these three
methods and a line in `FORMS`.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Protocol, cast

from dsp.lm.backends.embedded.xml_form import XMLForm

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import JsonValue

    from dsp.lm.backends.embedded.field import Field
    from dsp.lm.backends.embedded.shape import Shape

__all__ = ["FORMS", "ChatForm", "Form", "JSONForm", "json_of"]

MARKER = re.compile(r"^\[\[ ## (.+?) ## \]\][ \t]*$", re.MULTILINE)
TAIL = "Answer with `[[ ## "
"""How the last line of a chat prompt begins. A value that holds this is quoted, so the last such line is the prompt's."""
LIKE = re.compile(r"\[\[[ \t]*#")
"""What looks like a marker, whatever its name."""
QUOTED = "> "
NESTED = 5
"""How often a string may hold a string as JSON."""
TYPED = frozenset(("date-time", "date", "time", "duration", "uuid", "decimal"))
"""Strings that are no free text, and so are written as JSON."""


class Form(Protocol):
    """How values are laid out in the messages of a prompt."""

    def inputs(
        self, text: str, fields: Sequence[Field], definitions: Mapping[str, Sequence[Field]]
    ) -> dict[str, JsonValue] | None:
        """The values in a user message; None when it holds none in this form."""
        ...

    def outputs(
        self, text: str, fields: Sequence[Field], definitions: Mapping[str, Sequence[Field]]
    ) -> dict[str, JsonValue] | None:
        """The values in an assistant message; None when it holds none in this form."""
        ...

    def write(self, values: Mapping[str, JsonValue], fields: Sequence[Field]) -> str:
        """A reply that holds the values."""
        ...


class ChatForm:
    """Each value under a marker of its own: text as it is, everything else as JSON."""

    def inputs(
        self, text: str, fields: Sequence[Field], definitions: Mapping[str, Sequence[Field]]
    ) -> dict[str, JsonValue] | None:
        """The values in a user message, without the prompt's own last line."""
        tail = text.rfind(f"\n{TAIL}")
        return self.outputs(text if tail < 0 else text[:tail], fields, definitions)

    def outputs(
        self, text: str, fields: Sequence[Field], definitions: Mapping[str, Sequence[Field]]
    ) -> dict[str, JsonValue] | None:
        """The values in an assistant message."""
        del definitions  # what is no text is JSON, which says itself what it is
        shapes = {field.label: field.shape for field in fields}
        markers = [marker for marker in MARKER.finditer(text) if not shapes or marker[1] in shapes or _is_end(marker)]
        ends = [marker.start() for marker in markers[1:]] + [len(text)]
        found: dict[str, JsonValue] = {}
        for marker, end in zip(markers, ends, strict=False):
            if not shapes or marker[1] in shapes:
                raw = _unquoted(text[marker.end() : end].strip("\n"))
                found.setdefault(marker[1], _typed(raw, shapes.get(marker[1])))
        return found or None

    def write(self, values: Mapping[str, JsonValue], fields: Sequence[Field]) -> str:
        """A section for each value, then the end marker."""
        shapes = {field.label: field.shape for field in fields}
        sections = [f"[[ ## {label} ## ]]\n{_raw(value, shapes.get(label))}" for label, value in values.items()]
        end, number = "completed", 2
        while end in shapes:
            end, number = f"completed_{number}", number + 1
        return "\n\n".join([*sections, f"[[ ## {end} ## ]]"])


class JSONForm:
    """All values in one JSON object."""

    def inputs(
        self, text: str, fields: Sequence[Field], definitions: Mapping[str, Sequence[Field]]
    ) -> dict[str, JsonValue] | None:
        """The values in a user message."""
        del definitions  # JSON says itself what it is
        labels = {field.label for field in fields}
        found = _object(text)
        return found if found is not None and (not labels or labels & found.keys()) else None

    def outputs(
        self, text: str, fields: Sequence[Field], definitions: Mapping[str, Sequence[Field]]
    ) -> dict[str, JsonValue] | None:
        """The values in an assistant message."""
        return self.inputs(text, fields, definitions)

    def write(self, values: Mapping[str, JsonValue], fields: Sequence[Field]) -> str:
        """One JSON object."""
        del fields  # the values are in their order already
        return json.dumps(dict(values), ensure_ascii=False)


FORMS: tuple[tuple[str, Form], ...] = (
    ("Write the outputs in this form", ChatForm()),
    ("Answer with one JSON object", JSONForm()),
    ("Write each output in its tags", XMLForm()),
)
"""The heading under which a system message says the form of the reply, and the form."""


def json_of(text: str) -> tuple[bool, JsonValue]:
    """Whether a text is JSON, and its value."""
    try:
        return True, cast("JsonValue", json.loads(text))  # json.loads is typed as Any, and gives nothing else
    except (ValueError, RecursionError):
        return False, None


def _object(text: str) -> dict[str, JsonValue] | None:
    _, value = json_of(text)
    if isinstance(value, dict):
        return value
    start, end = text.find("{"), text.rfind("}")
    if 0 <= start < end:
        _, value = json_of(text[start : end + 1])
    return value if isinstance(value, dict) else None


def _is_end(marker: re.Match[str]) -> bool:
    return marker[1].startswith("completed")


def _unquoted(text: str) -> str:
    """A quoted input as it was: one that holds a marker has been quoted, line by line."""
    if not text.startswith(QUOTED) or LIKE.search(text) is None:
        return text
    lines = text.splitlines(keepends=True)
    return "".join(line[len(QUOTED) :] for line in lines) if all(line.startswith(QUOTED) for line in lines) else text


def _typed(raw: str, shape: Shape | None) -> JsonValue:
    if shape is not None and raw in shape.options:
        return raw
    known, value = json_of(raw) if shape is None or not _is_text(shape) or raw[:1] == '"' else (False, None)
    if shape is not None and _is_text(shape):
        return value if isinstance(value, str) and _needs_quotes(value) else raw
    return value if known else raw


def _is_text(shape: Shape) -> bool:
    return shape.kind == "string" and shape.form not in TYPED


def _needs_quotes(text: str) -> bool:
    """Whether a text would be read as something else if it were written as it is."""
    for _ in range(NESTED):
        if text != text.strip() or LIKE.search(text) is not None or text.endswith("```"):
            return True
        _, inner = json_of(text) if text[:1] == '"' else (False, None)
        if not isinstance(inner, str):
            return False
        text = inner
    return True


def _raw(value: JsonValue, shape: Shape | None) -> str:
    if isinstance(value, str) and shape is not None and (shape.kind == "choice" or _is_text(shape)):
        return json.dumps(value, ensure_ascii=False) if _needs_quotes(value) else value
    return json.dumps(value, ensure_ascii=False)
