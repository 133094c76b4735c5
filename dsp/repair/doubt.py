"""Where Pydantic takes a text at once and still may not mean what was written: digits as seconds since 1970, long decimals."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from dsp.repair.shape import (
    LinkShape,
    ListShape,
    NumberShape,
    ObjectShape,
    OpenShape,
    Shape,
    StringShape,
    UnionShape,
    shape_of,
)

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["doubt_of", "model_doubt"]

MOMENT = r"\"\s*[+-]?\d+(?:\.\d*)?\s*\""
"""A string of digits."""
EXACT = r"\d[.eE][\d+-]"
"""A number that a float may not hold."""


def doubt_of(shape: Shape) -> re.Pattern[str] | None:
    """What a JSON text must not hold to be validated at once; None for shapes that can be trusted with any."""
    parts = sorted(_parts(shape))
    return re.compile("|".join(parts)) if parts else None


def model_doubt(model: type[BaseModel]) -> re.Pattern[str] | None:
    """The same of a model, remembered for as long as the model lives."""
    try:
        return _KNOWN[model]
    except KeyError:
        found = _KNOWN[model] = doubt_of(shape_of(model))
        return found


_KNOWN: WeakKeyDictionary[type[BaseModel], re.Pattern[str] | None] = WeakKeyDictionary()


def _parts(whole: Shape) -> set[str]:
    found: set[str] = set()
    seen: set[int] = set()
    waiting = [whole]
    while waiting:
        shape = waiting.pop()
        if id(shape) in seen:
            continue
        seen.add(id(shape))
        if isinstance(shape, LinkShape):
            waiting.append(shape.target)
        elif isinstance(shape, ObjectShape):
            waiting += [one.shape for one in shape.fields]
        elif isinstance(shape, UnionShape):
            waiting += shape.arms
        elif isinstance(shape, ListShape):
            waiting += shape.items
        elif isinstance(shape, OpenShape):
            waiting += [shape.keys, shape.values]
        elif isinstance(shape, StringShape) and shape.moment:
            found.add(MOMENT)
        elif isinstance(shape, NumberShape) and shape.exact:
            found.add(EXACT)
    return found
