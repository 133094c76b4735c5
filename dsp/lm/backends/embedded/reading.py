"""A prompt, read back: what it asks for, what it shows as examples, and what it is asked about now.

What comes first in a system message are the instructions, and they may hold anything; so each of the prompt's own
headings is looked for from the end.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dsp.lm.backends.embedded.field import Demo, Field
from dsp.lm.backends.embedded.form import FORMS, Form, json_of
from dsp.lm.backends.embedded.shape import Shape, shape_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dsp.messages import Message

__all__ = ["Layout", "demos_of", "layout_of", "query_place"]

DESCRIPTION = 5_000
"""Characters of a field's description that are read."""
FIELD = re.compile(r"^ *- `([^\n]+?)` \(", re.MULTILINE)
DEFINITION = re.compile(r"^`?(\S[^\n`]*?)`? is an object with:[ \t]*$", re.MULTILINE)
ALIAS = re.compile(r"^`?([^\W\d][^\s`]*)`? is (?!an object with:)(.+)$", re.MULTILINE)
OPTIONAL = re.compile(r", optional(?:, default (.+))?$")
CLOSING = re.compile(r"\)(?=$|: )")


@dataclass(frozen=True, slots=True)
class Layout:
    """What a system message says."""

    form: Form | None
    """None when the prompt is a bare chat."""
    instructions: str
    inputs: tuple[Field, ...] = ()
    outputs: tuple[Field, ...] = ()
    definitions: Mapping[str, tuple[Field, ...]] = field(default_factory=dict[str, tuple[Field, ...]])
    """The fields of each nested model that a type names."""
    aliases: Mapping[str, Shape] = field(default_factory=dict[str, Shape])
    """Named types that are no objects."""


def layout_of(system: str) -> Layout:
    """What a system message asks for."""
    places = [(_heading(system, heading), form) for heading, form in FORMS]
    end, form = max(places, key=lambda place: place[0])
    described = system[: max(end, 0)]
    outputs_at = _heading(described, "Outputs:")
    if outputs_at < 0:
        return Layout(None, system)
    inputs_at = _heading(described[:outputs_at], "Inputs:")
    inputs, input_definitions = _listed(described[inputs_at:outputs_at] if inputs_at >= 0 else "")
    outputs, output_definitions = _listed(described[outputs_at:])
    return Layout(
        form,
        described[: inputs_at if inputs_at >= 0 else outputs_at].strip(),
        inputs,
        outputs,
        {**input_definitions, **output_definitions},
        {found[1]: shape_of(found[2].removesuffix(".")) for found in ALIAS.finditer(described, outputs_at)},
    )


def query_place(layout: Layout, messages: Sequence[Message]) -> int:
    """Which message holds the query; -1 when no user has spoken.

    A last user message without inputs is a remark on an earlier one (a request to mend a reply, say), and the earlier
    one is still the question.
    """
    users = [place for place, message in enumerate(messages) if message.role == "user"]
    if layout.form is not None:
        for place in reversed(users):
            if layout.form.inputs(messages[place].text, layout.inputs, layout.definitions) is not None:
                return place
    return users[-1] if users else -1


def demos_of(layout: Layout, messages: Sequence[Message]) -> tuple[Demo, ...]:
    """The examples among some messages: each user message with the assistant message that follows."""
    if layout.form is None:
        return ()
    demos: list[Demo] = []
    for asked, answered in itertools.pairwise(messages):
        if asked.role == "user" and answered.role == "assistant":
            inputs = layout.form.inputs(asked.text, layout.inputs, layout.definitions)
            outputs = layout.form.outputs(answered.text, layout.outputs, layout.definitions)
            if inputs and outputs:
                demos.append(Demo(inputs, outputs))
    return tuple(demos)


def _heading(text: str, heading: str) -> int:
    place = text.rfind(f"\n{heading}")
    if place >= 0:
        return place + 1
    return 0 if text.startswith(heading) else -1


def _listed(text: str) -> tuple[tuple[Field, ...], dict[str, tuple[Field, ...]]]:
    found = list(DEFINITION.finditer(text))
    ends = [place.start() for place in found[1:]] + [len(text)]
    definitions = {place[1]: _fields(text[place.end() : end]) for place, end in zip(found, ends, strict=False)}
    return _fields(text[: found[0].start()] if found else text), definitions


def _fields(text: str) -> tuple[Field, ...]:
    fields: list[Field] = []
    for start in FIELD.finditer(text):
        line_end = text.find("\n", start.end())
        type_text, description = _parenthesised(text[start.end() : line_end if line_end >= 0 else len(text)])
        optional = OPTIONAL.search(type_text)
        has_default, default = False, None
        if optional is not None:
            type_text = type_text[: optional.start()]
            has_default, default = json_of(optional[1]) if optional[1] else (False, None)
        fields.append(Field(start[1], shape_of(type_text), description[:DESCRIPTION], default, has_default))
    return tuple(fields)


def _parenthesised(line: str) -> tuple[str, str]:
    """The type up to its closing parenthesis, and the description behind it.

    A type may hold parentheses of its own, in names and in patterns; the first closing one that balances, outside of
    JSON strings, is the type's.
    """
    depth, quoted, at = 1, False, 0
    while at < len(line):
        character = line[at]
        if quoted:
            if character == "\\":
                at += 1
            quoted = character != '"'
        elif character == '"':
            quoted = True
        elif character in "()":
            depth += 1 if character == "(" else -1
            if depth == 0 and CLOSING.match(line, at):
                return line[:at], line[at + 1 :].removeprefix(":").strip()
        at += 1
    closing = CLOSING.search(line)
    if closing is None:
        return line, ""
    return line[: closing.start()], line[closing.end() :].removeprefix(":").strip()
