"""A typed value out of the text that a section or a tag holds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dsp.errors import ParseError
from dsp.repair import AnyShape, StringShape, UnionShape, read
from dsp.repair.align import Aligner
from dsp.repair.candidate import exact
from dsp.repair.shape import NullShape

if TYPE_CHECKING:
    from pydantic import JsonValue

    from dsp.repair import Shape

__all__ = ["fits", "text_or_null", "typed"]

PARAGRAPH = re.compile(r"\n[ \t]*\r?\n")
WORDS = re.compile(r"[A-Za-z][^\d{}\[\]\"]*\Z")
"""Prose in which no value can stand."""


def fits(value: JsonValue, shape: Shape) -> bool:
    """Whether a value can be brought to the form of a shape."""
    return _aligned(value, shape) is not None


def _aligned(value: JsonValue, shape: Shape) -> tuple[JsonValue, bool] | None:
    """The value in the shape, and whether nothing had to be mended for it; None where it does not fit."""
    aligner = Aligner()
    try:
        aligned = aligner.align(value, shape)
    except RecursionError:
        return None
    return (aligned, not aligner.repairs) if aligner.fits else None


def typed(text: str, shape: Shape) -> tuple[JsonValue, tuple[str, ...]]:
    """The value that a text holds for a type, and what was mended: remarks after the value's own paragraph left out.

    Raises:
        ParseError: There is none.
    """
    try:
        plain = exact(text)
    except ValueError:
        pass  # mended below
    else:
        direct = _aligned(plain, shape)
        if direct is not None and direct[1]:
            return direct[0], ()
    # Text or null: a number is text like any other, and keeps its digits.
    if text.strip() not in ("None", "NULL", "Null") and text_or_null(shape):
        return text, ()
    try:
        value, repairs = read(text, shape)
    except ParseError:
        value, repairs, found, problem = None, (), False, True
    else:
        problem = False
        # A text that is given back as it came is a word that says no value of the type.
        found = not isinstance(value, str) or fits(value, shape)
    if not found and not _admits_text(shape) and (cut := PARAGRAPH.search(text.strip())) is not None:
        first, rest = text.strip()[: cut.start()], text.strip()[cut.end() :].strip()
        if WORDS.match(rest) and "not" not in rest.casefold().split():
            try:
                shorter, mended = read(first, shape)
            except ParseError:
                pass
            else:
                if fits(shorter, shape) and not _says_another(rest, shorter, shape):
                    return shorter, (*mended, "the remark after the value left out")
    if problem:
        if isinstance(shape, AnyShape) and text.lstrip()[:1] not in ("{", "[", '"', "`"):
            return text.strip(), ()  # prose is a value too, where any is one
        return read(text, shape)
    return value, repairs


def text_or_null(shape: Shape) -> bool:
    """Whether a shape is a text that may be left out."""
    return isinstance(shape, UnionShape) and all(isinstance(arm, StringShape | NullShape) for arm in shape.arms)


def _admits_text(shape: Shape) -> bool:
    if isinstance(shape, UnionShape):
        return any(_admits_text(arm) for arm in shape.arms)
    return isinstance(shape, AnyShape) or (isinstance(shape, StringShape) and shape.text)


def _says_another(rest: str, value: JsonValue, shape: Shape) -> bool:
    """Whether a remark names a value that the field could have had instead."""
    for word in re.findall(r"[\w'-]+", rest):
        try:
            other, _ = read(word, shape)
        except ParseError:
            continue
        if other != value and fits(other, shape):
            return True
    return False
