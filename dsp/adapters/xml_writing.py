"""Values as tags: what a demo's reply holds, and what the reader gives back as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsp.adapters.template import as_json
from dsp.adapters.xml_elements import ENTRIES
from dsp.adapters.xml_text import NAME, TAGLIKE, tagged_text
from dsp.repair import ChoiceShape, ObjectShape, StringShape, UnionShape
from dsp.repair.shape import LinkShape, ListShape, NullShape, OpenShape, normal

if TYPE_CHECKING:
    from pydantic import JsonValue

    from dsp.adapters.xml_elements import Tags
    from dsp.repair import Shape

__all__ = ["written"]

DEPTH = 40
"""How deep values are written as tags; what lies deeper is written as JSON."""


def written(value: JsonValue, shape: Shape, tags: Tags, depth: int = 0) -> str:
    """A value as it stands between its tags: text as it is, objects and lists as tags, everything else as JSON.

    What tags cannot say without doubt (a union's member, a key that is no name, an empty list) is JSON too.
    """
    if isinstance(shape, LinkShape):
        shape = shape.target
    if isinstance(shape, UnionShape):
        shape = _only(shape)
    if isinstance(value, str):
        if isinstance(shape, StringShape) and shape.text:
            return tagged_text(value)
        return value if isinstance(shape, ChoiceShape) and _bare(value, shape) else tagged_text(as_json(value))
    parts: list[str] | None = None
    if value and depth < DEPTH:
        if isinstance(value, list) and isinstance(shape, ListShape) and shape.items:
            last = len(shape.items) - 1
            parts = [
                f"<item>{written(one, shape.items[min(index, last)], tags, depth + 1)}</item>"
                for index, one in enumerate(value)
            ]
        elif isinstance(value, dict) and isinstance(shape, OpenShape) and all(map(_is_key, value)):
            parts = [f"<{key}>{written(one, shape.values, tags, depth + 1)}</{key}>" for key, one in value.items()]
        elif isinstance(value, dict) and isinstance(shape, ObjectShape) and all(key in shape.by_name for key in value):
            names = tags.written(shape)
            parts = []
            for key, one in value.items():
                field = shape.by_name[key]
                name = names[field.key]
                parts.append(f"<{name}>{written(one, field.shape, tags, depth + 1)}</{name}>")
    return tagged_text(as_json(value)) if parts is None else "\n".join(["", *parts, ""])


def _only(shape: UnionShape) -> Shape:
    """The object, list or map that a union holds beside null, where that is all it holds; else the union."""
    arms = [arm.target if isinstance(arm, LinkShape) else arm for arm in shape.arms]
    others = [arm for arm in arms if not isinstance(arm, NullShape)]
    if len(others) == 1 and isinstance(others[0], ObjectShape | ListShape | OpenShape):
        return others[0]
    return shape


def _is_key(key: str) -> bool:
    return NAME.match(key) is not None and normal(key) not in ENTRIES


def _bare(value: str, shape: ChoiceShape) -> bool:
    """Whether a member of a choice among plain strings stands without quotes."""
    known = any(one.value == value for one in shape.members)
    return (
        known
        and shape.plain
        and bool(value)
        and value == value.strip()
        and not TAGLIKE.search(value)
        and "&" not in value
    )
