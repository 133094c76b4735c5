"""Values out of messy text: extract, mend, align; validation has the last word."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, get_args

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypeForm

from dsp.errors import ParseError
from dsp.repair.align import Aligner, choose
from dsp.repair.candidate import candidates, strict, visible
from dsp.repair.explain import explain
from dsp.repair.shape import (
    AnyShape,
    ChoiceShape,
    LinkShape,
    ListShape,
    NullShape,
    ObjectShape,
    OpenShape,
    Shape,
    ShapeReader,
    StringShape,
    UnionShape,
    is_model,
    shape_of,
)

if TYPE_CHECKING:
    from pydantic import JsonValue

__all__ = ["Repaired", "align", "loads", "parse", "read"]

T = TypeVar("T")


@dataclass(frozen=True)
class Repaired(Generic[T]):
    """A value, and what was mended to get it."""

    value: T
    repairs: tuple[str, ...]
    """A line for each repair; empty when the text was right as it stood."""


def parse(text: str, into: TypeForm[T]) -> Repaired[T]:
    """A value of a type, out of text that a model or a person wrote.

    Args:
        text: The text: JSON, or something with JSON in it, or a bare word or number.
        into: The type: a model, `list[int]`, a `Literal`, a union, whatever Pydantic validates.

    Raises:
        ParseError: No value of the type can be read, or several that disagree.

    Example:
        >>> parse("Here you are: {'a': 1,}", dict[str, int]).value
        {'a': 1}
    """
    shape: Shape | None = None
    form: object = into
    if is_model(form):
        validator = form.__pydantic_validator__
    else:
        adapter = TypeAdapter[Any](cast("type[Any]", form))  # an annotation of any form: types have no type
        validator = adapter.validator
        shape = ShapeReader().read(cast("dict[str, Any]", adapter.core_schema))
        if isinstance(shape, StringShape) and shape.text:
            text = json.dumps(text)  # free text is the value itself, its quotes included
    try:
        # The validator is typed as giving Any; it was made for T.
        return Repaired(cast("T", validator.validate_json(text, extra="forbid", by_alias=True, by_name=True)), ())
    except ValueError:
        pass  # the fast path only: what is wrong is found below
    value, repairs = read(text, shape or shape_of(form))
    try:
        dumped = json.dumps(value)
        return Repaired(cast("T", validator.validate_json(dumped, by_alias=True, by_name=True)), repairs)
    except ValidationError as error:
        raise _refused(text, tuple(explain(error))) from error
    except (ValueError, RecursionError) as error:
        raise _refused(text, (f"the value cannot be validated: {error!s:.200}",)) from error


def loads(text: str) -> JsonValue:
    """The JSON value in a text, whatever its type.

    Raises:
        ParseError: There is none, or there are several that differ.

    Example:
        >>> loads("Here you are: {name: 'Ada', }")
        {'name': 'Ada'}
    """
    return read(text, AnyShape(), words=False)[0]


def read(
    text: str, into: Shape | TypeForm[Any], *, words: bool = True
) -> tuple[JsonValue, tuple[str, ...]]:  # Any: any type
    """A JSON value out of text, brought to the shape of a type and ready for validation.

    Args:
        text: The text.
        into: A type, or its shape when the same type is read often.
        words: Whether a bare text may itself be the value.

    Raises:
        ParseError: No value can be read, or several that disagree, or none of an object's keys is known.
    """
    shape = _shape(into)
    try:
        return _read(text, _target(shape), words=words)
    except RecursionError as error:
        raise _refused(text, ("the value is nested too deep",)) from error


def align(value: JsonValue, into: Shape | TypeForm[Any]) -> tuple[JsonValue, tuple[str, ...]]:  # Any: any type
    """A JSON value brought to the shape of a type: keys, choices, words for booleans, numbers in text.

    Raises:
        ParseError: None of an object's keys is known, or the value nests too deep.
    """
    shape = _shape(into)
    aligner = Aligner()
    try:
        aligned = aligner.align(value, shape)
    except RecursionError as error:
        raise _refused("", ("the value is nested too deep",)) from error
    if aligner.fatal:
        raise _refused(json.dumps(value), tuple(aligner.fatal))
    return aligned, tuple(aligner.repairs)


def _shape(into: object) -> Shape:
    return cast("Shape", into) if isinstance(into, get_args(Shape)) else shape_of(into)


def _target(shape: Shape) -> Shape:
    return shape.target if isinstance(shape, LinkShape) else shape


def _refused(text: str, errors: tuple[str, ...]) -> ParseError:
    return ParseError(" ".join(errors), reply=text, errors=errors)


def _read(text: str, shape: Shape, *, words: bool) -> tuple[JsonValue, tuple[str, ...]]:
    if isinstance(shape, StringShape) and shape.text:
        return text, ()
    text, removed = visible(text)
    if not text:
        raise _refused(text, ("The text is empty.",))
    chosen = choose(text, shape) if words and isinstance(shape, ChoiceShape) and len(text) <= 1000 else None
    if chosen is not None and chosen[1] and isinstance(shape, ChoiceShape) and shape.plain:
        return chosen[0], removed
    try:
        value = strict(text)
    except ValueError:
        if chosen is not None:
            return chosen[0], removed if chosen[1] else (*removed, f"{text!r:.60} read as {chosen[0]!r:.60}")
    else:
        return _aligned(text, value, shape, removed)
    if words and (found := _word(text, shape)) is not None:
        return found[0], (*removed, *found[1])
    readings: list[_Reading] = []
    found_values, fault = candidates(text)
    for one in found_values:
        aligner = Aligner()
        readings.append(_Reading(aligner.align(one.value, shape), one.weight, one.repairs, aligner))
    if readings:
        return _best(text, readings, shape, removed)
    if words and not isinstance(shape, ObjectShape | ListShape | OpenShape):
        return text, removed  # validation says what it should have been
    why = f": {fault.why} (at character {fault.position})" if fault is not None else ""
    raise _refused(text, (f"The text holds no JSON value that can be read{why}.",))


@dataclass(frozen=True)
class _Reading:
    """One candidate, aligned."""

    value: JsonValue
    weight: int
    found: tuple[str, ...]
    aligner: Aligner

    @property
    def repairs(self) -> tuple[str, ...]:
        return (*self.found, *self.aligner.repairs)

    @property
    def fits(self) -> bool:
        return not self.aligner.misfits and not self.aligner.fatal


def _aligned(text: str, value: JsonValue, shape: Shape, removed: tuple[str, ...]) -> tuple[JsonValue, tuple[str, ...]]:
    aligner = Aligner()
    aligned = aligner.align(value, shape)
    if aligner.fatal:
        raise _refused(text, tuple(f"{one}." for one in aligner.fatal))
    return aligned, (*removed, *aligner.repairs)


def _word(text: str, shape: Shape) -> tuple[JsonValue, tuple[str, ...]] | None:
    """The value that a bare text is, for shapes that are no object and no array."""
    if isinstance(shape, AnyShape | ObjectShape | ListShape | OpenShape) or len(text) > 100_000:
        return None
    if text[:1] in ("{", "[") or text.startswith("```"):
        return None
    null = isinstance(shape, UnionShape) and any(isinstance(arm, NullShape) for arm in shape.arms)
    if null and text in ("None", "NULL", "Null"):
        return None, (f"`{text}` read as null",)
    aligner = Aligner()
    value = aligner.align(text, shape)
    if isinstance(shape, UnionShape) and aligner.misfits and _admits_text(shape):
        return text, ()
    return None if aligner.misfits or aligner.fatal else (value, tuple(aligner.repairs))


def _admits_text(shape: UnionShape) -> bool:
    return any(isinstance(_target(arm), StringShape) for arm in shape.arms)


def _best(
    text: str, readings: list[_Reading], shape: Shape, removed: tuple[str, ...]
) -> tuple[JsonValue, tuple[str, ...]]:
    """The reading that fits the type with the least change."""
    fitting = [one for one in readings if one.fits]
    if fitting:
        weight = max(one.weight for one in fitting)
        fitting = [one for one in fitting if one.weight == weight]
        if not isinstance(shape, AnyShape):
            least = min(len(one.repairs) for one in fitting)
            fitting = [one for one in fitting if len(one.repairs) == least]
        first = fitting[0]
        if any(one.value != first.value for one in fitting[1:]):
            raise _refused(text, (f"The text holds {len(fitting)} values that fit and differ.",))
        return first.value, (*removed, *first.repairs)
    hopeful = [one for one in readings if not one.aligner.fatal]
    if not hopeful:
        raise _refused(text, tuple(f"{one}." for one in readings[0].aligner.fatal))
    fewest = min(one.aligner.misfits for one in hopeful)
    hopeful = [one for one in hopeful if one.aligner.misfits == fewest]
    if any(one.value != hopeful[0].value for one in hopeful[1:]):
        raise _refused(text, (f"The text holds {len(hopeful)} values, and none of them fits.",))
    return hopeful[0].value, (*removed, *hopeful[0].repairs)
