"""An object that was written as lines of `key: value`, where the fields of its type leave no doubt."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dsp.repair.notes import Budget, Notes, SyntaxFault
from dsp.repair.shape import LinkShape, ListShape, StringShape, UnionShape, normal
from dsp.repair.syntax import Reader, skip

if TYPE_CHECKING:
    from pydantic import JsonValue

    from dsp.repair.shape import MemberField, ObjectShape, Shape

__all__ = ["COST", "from_lines"]

COST = 25
"""What it costs to be no JSON at all."""
LONGEST = 200_000
LINE = re.compile(
    r"(?:[-*+\u2022]|#{1,6}|\d{1,3}[.)])?[ \t]*[*_`\"']{0,4}([^\W_][\w .-]{0,60}?)[*_`\"']{0,4}[ \t]*(?:[:=]|\*\*[ \t]*:)[*_]{0,3}(?:[ \t]+|\Z)(.*)\Z"
)
ITEM = re.compile(r"[ \t]*(?:[-*+\u2022]|\d{1,3}[.)])[ \t]+(.*)\Z")
FENCE = re.compile(r"[ \t]*(?:```|~~~)\w{0,20}[ \t]*\Z")


def from_lines(text: str, shape: ObjectShape) -> dict[str, JsonValue] | None:
    """The fields of an object, each said once on a line of its own; None where any is missing or in doubt."""
    if len(text) > LONGEST or not shape.fields:
        return None
    parts: dict[str, list[str]] = {}
    fields: dict[str, MemberField] = {}
    current: str | None = None
    for line in text.splitlines():
        if FENCE.match(line) or line.strip() == "---":
            continue
        matched = LINE.match(line.strip()) if not line[:1].isspace() or current is None else None
        field = _field(matched[1], shape) if matched is not None else None
        if field is not None and matched is not None:
            current = field.key
            if current in parts:
                return None
            parts[current], fields[current] = [matched[2].strip()], field
        elif current is not None:
            parts[current].append(line)
    if any(one.required and one.key not in parts for one in shape.fields) or not parts:
        return None
    found: dict[str, JsonValue] = {}
    for key, lines in parts.items():
        value = _value(lines, fields[key].shape)
        if value is None:
            return None
        found[key] = value[0]
    return found


def _field(name: str, shape: ObjectShape) -> MemberField | None:
    exact = shape.by_name.get(name)
    if exact is not None:
        return exact
    near = shape.by_normal.get(normal(name), ())
    return near[0] if len(near) == 1 else None


def _value(lines: list[str], shape: Shape) -> tuple[JsonValue] | None:
    """What stands after a key; None where it cannot be told."""
    text = "\n".join(lines).strip()
    if text[:1] in ("{", "[", '"'):
        notes = Notes()
        try:
            reader = Reader(text, Budget(100_000), notes)
            value, end = reader.read(0)
        except SyntaxFault:
            return None if text[0] != '"' else (text,)
        if skip(text, end, notes) >= len(text) and not reader.cut:
            return (value,)
        return None if text[0] != '"' else (text,)
    arms = shape.arms if isinstance(shape, UnionShape) else (shape,)
    plain = [arm.target if isinstance(arm, LinkShape) else arm for arm in arms]
    if any(isinstance(arm, ListShape) for arm in plain):
        items = [ITEM.match(line) for line in lines if line.strip()]
        if items and all(items):
            return ([item[1].strip() for item in items if item is not None],)
        return None
    if any(isinstance(arm, StringShape) and arm.text for arm in plain):
        return (text,) if text else None
    rest = [line for line in lines[1:] if line.strip()]
    return None if rest or not text else (text,)
