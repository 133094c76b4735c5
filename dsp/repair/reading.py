"""Values out of messy text: extract, mend, align; of all readings the cheapest that is valid; validation has the last word."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from typing_extensions import TypeForm

from dsp.errors import ParseError
from dsp.repair.align import Aligner
from dsp.repair.candidate import Candidate, candidates, exact, fenced_text, unambiguous, visible
from dsp.repair.doubt import doubt_of, model_doubt
from dsp.repair.explain import explain
from dsp.repair.lines import COST, from_lines
from dsp.repair.prose import choose
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
    from collections.abc import Iterator

    from pydantic import JsonValue

__all__ = ["Repaired", "align", "loads", "parse", "read"]

T = TypeVar("T")


@dataclass(frozen=True)
class Repaired(Generic[T]):
    """A value, and what was mended to get it."""

    value: T
    repairs: tuple[str, ...]
    """A line for each repair, with its place; empty when the text was right as it stood."""


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
        doubt = model_doubt(form)
    else:
        adapter = TypeAdapter[Any](cast("type[Any]", form))  # an annotation of any form: types have no type
        validator = adapter.validator
        shape = ShapeReader().read(cast("dict[str, Any]", adapter.core_schema))
        if isinstance(shape, StringShape) and shape.text:
            text = json.dumps(text)  # free text is the value itself, its quotes included
        doubt = doubt_of(shape)
    try:
        if doubt is None or doubt.search(text) is None:
            # The validator is typed as giving Any; it was made for T.
            value = cast("T", validator.validate_json(text, strict=True, extra="forbid", by_alias=True, by_name=True))
            # A member has one colon: where there are no more colons than fields, no key stands there twice.
            colons = text.count(":")
            if (
                colons < 2
                or (isinstance(value, BaseModel) and len(value.model_fields_set) == colons)
                or unambiguous(text)
            ):
                return Repaired(value, ())
    except ValueError:
        pass  # the fast path only: what is wrong is found below
    refused: ValidationError | None = None
    for equals in _groups(text, shape or shape_of(form)):
        valid: list[tuple[JsonValue, T, tuple[str, ...]]] = []
        for one in equals:
            try:
                made = validator.validate_json(json.dumps(one.value), by_alias=True, by_name=True)
                valid.append((one.value, cast("T", made), one.repairs))
            except ValidationError as error:
                refused = refused or error
            except (ValueError, RecursionError) as error:
                raise _refused(text, (f"the value cannot be validated: {error!s:.200}",)) from error
        if valid:
            if any(not _same(one[0], valid[0][0]) for one in valid[1:]):
                raise _refused(text, (f"The text holds {len(valid)} values that fit and differ.",))
            return Repaired(valid[0][1], valid[0][2])
    assert refused is not None, "there is a reading, or the search for one has raised"
    raise _refused(text, tuple(explain(refused))) from refused


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
    for equals in _groups(text, shape, words=words):
        if any(not _same(one.value, equals[0].value) for one in equals[1:]):
            raise _refused(text, (f"The text holds {len(equals)} values that fit and differ.",))
        return equals[0].value, equals[0].repairs
    raise _refused(text, ("The text holds no JSON value that can be read.",))


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


def _same(one: JsonValue, other: JsonValue) -> bool:
    """Whether two values say the same; `true` is not 1."""
    return one == other and (one is other or json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True))


@dataclass(frozen=True)
class _Reading:
    """One way to read the text, aligned."""

    value: JsonValue
    repairs: tuple[str, ...]
    cost: int
    aligner: Aligner


def _groups(text: str, shape: Shape, *, words: bool = True) -> Iterator[list[_Reading]]:
    """The readings of a text that fit, those of equal cost together, the cheapest first; else the nearest misfits.

    Raises:
        ParseError: There is no reading at all.
    """
    try:
        readings = _readings(text, _target(shape), words=words)
    except RecursionError as error:
        raise _refused(text, ("the value is nested too deep",)) from error
    fitting = [one for one in readings if one.aligner.fits]
    if not fitting:
        hopeful = [one for one in readings if not one.aligner.fatal]
        if not hopeful:
            raise _refused(text, tuple(f"{one}." for one in readings[0].aligner.fatal))
        fewest = min(one.aligner.misfits for one in hopeful)
        hopeful = [one for one in hopeful if one.aligner.misfits == fewest]
        if any(not _same(one.value, hopeful[0].value) for one in hopeful[1:]):
            raise _refused(text, (f"The text holds {len(hopeful)} values, and none of them fits.",))
        yield hopeful[:1]
        return
    for cost in sorted({one.cost for one in fitting}):
        yield [one for one in fitting if one.cost == cost]


def _readings(text: str, shape: Shape, *, words: bool) -> list[_Reading]:
    given = text
    if isinstance(shape, StringShape) and shape.text:
        return [_Reading(text, (), 0, Aligner())]
    text, removed, base = visible(text)
    if not text:
        raise _refused(given, ("The text is empty.",))
    chosen = choose(text, shape) if words and isinstance(shape, ChoiceShape) and len(text) <= 1000 else None
    if chosen is not None and chosen[1] and isinstance(shape, ChoiceShape) and shape.plain:
        return [_Reading(chosen[0], removed, 0, Aligner())]
    try:
        value = exact(text)
    except ValueError:
        if chosen is not None:
            repairs = removed if chosen[1] else (*removed, f"{text!r:.60} read as {chosen[0]!r:.60}")
            return [_Reading(chosen[0], repairs, 1, Aligner())]
    else:
        if text[0] not in "{[" or unambiguous(text):
            return [_aligned(Candidate(value, (), 0), shape, removed)]
    if words and (found := _word(text, shape)) is not None:
        return [_Reading(found[0], (*removed, *found[1]), 0, Aligner())]
    values, fault = candidates(text, base)
    readings = [_aligned(one, shape, removed) for one in values]
    if len(values) > 1 and isinstance(shape, ListShape):
        readings += _gathered(values, shape, removed)
    if not any(one.aligner.fits for one in readings):
        readings += _elsewhere(text, shape, removed, words=words)
    if readings:
        return readings
    if words and not isinstance(shape, ObjectShape | ListShape | OpenShape | AnyShape):
        return [_Reading(text, removed, 0, _misfit())]  # validation says what it should have been
    why = f": {fault.why} (at character {fault.position})" if fault is not None else ""
    raise _refused(given, (f"The text holds no JSON value that can be read{why}.",))


def _misfit() -> Aligner:
    aligner = Aligner()
    aligner.misfits = 1
    return aligner


def _aligned(one: Candidate, shape: Shape, removed: tuple[str, ...]) -> _Reading:
    aligner = Aligner()
    value = aligner.align(one.value, shape)
    return _Reading(value, (*removed, *one.repairs, *aligner.repairs), one.cost + aligner.cost, aligner)


def _gathered(values: list[Candidate], shape: ListShape, removed: tuple[str, ...]) -> list[_Reading]:
    """The objects of a text as the list that was asked for, where each is one of its items."""
    place = min(one.place for one in values)
    group = [one for one in values if one.place == place]
    if len(group) < 2 or any(not isinstance(one.value, dict) or one.cut for one in group):
        return []
    repairs = tuple(dict.fromkeys(line for one in group for line in one.repairs))
    cost = max(one.cost for one in group) + 2
    whole: JsonValue = [one.value for one in group]
    return [_aligned(Candidate(whole, (*repairs, f"{len(group)} objects read as a list"), cost), shape, removed)]


def _elsewhere(text: str, shape: Shape, removed: tuple[str, ...], *, words: bool) -> list[_Reading]:
    """Readings of a text that holds no fitting object or array: lines of `key: value`, a fenced word, one item."""
    found: list[_Reading] = []
    if isinstance(shape, ObjectShape):
        lines = from_lines(text, shape)
        if lines is not None:
            found.append(_aligned(Candidate(lines, ("lines of `key: value` read",), COST), shape, removed))
        return found
    inner = fenced_text(text)
    if inner:
        within = ("fence removed",)
        if inner[0] == "(" or not isinstance(shape, OpenShape):
            values, _ = candidates(inner)
            found += [
                _aligned(Candidate(one.value, (*within, *one.repairs), one.cost), shape, removed) for one in values
            ]
            if not found and words and (word := _word(inner, shape)) is not None:
                found.append(_Reading(word[0], (*removed, *within, *word[1]), 10, Aligner()))
    if words and not found and isinstance(shape, ListShape) and not shape.fixed:
        item = _target(shape.items[-1])
        if not isinstance(item, StringShape) and (word := _word(text, item)) is not None:
            repairs = (*removed, *word[1], "one item read as a list of one")
            found.append(_Reading([word[0]], repairs, 10, Aligner()))
    return found


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
    return (value, tuple(aligner.repairs)) if aligner.fits else None


def _admits_text(shape: UnionShape) -> bool:
    return any(isinstance(_target(arm), StringShape) for arm in shape.arms)
