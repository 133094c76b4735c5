"""Values out of messy text: extract candidates, mend their syntax, align them with a type. Knows types, knows no prompts."""

from dsp.repair.candidate import strict
from dsp.repair.explain import explain, place, shown
from dsp.repair.partial import Partial, parse_partial
from dsp.repair.reading import Repaired, align, loads, parse, read
from dsp.repair.shape import (
    AnyShape,
    ChoiceShape,
    ObjectShape,
    Shape,
    StringShape,
    UnionShape,
    shape_of,
)

__all__ = [
    "AnyShape",
    "ChoiceShape",
    "ObjectShape",
    "Partial",
    "Repaired",
    "Shape",
    "StringShape",
    "UnionShape",
    "align",
    "explain",
    "loads",
    "parse",
    "parse_partial",
    "place",
    "read",
    "shape_of",
    "shown",
    "strict",
]
