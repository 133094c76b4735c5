"""What is known of a value while its text is still being written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast, get_args

from dsp.repair.align import Aligner
from dsp.repair.candidate import candidates, visible
from dsp.repair.shape import Shape, StringShape, shape_of

if TYPE_CHECKING:
    from pydantic import JsonValue
    from typing_extensions import TypeForm

__all__ = ["Partial", "parse_partial"]


@dataclass(frozen=True)
class Partial:
    """What is known so far."""

    value: JsonValue | None
    """The value as JSON, without what may still change: a number or word at the end is left out, a text is as long as
    it is by now. None when nothing is known."""
    complete: bool
    """Whether the value has ended. It may still be refused: `parse` says."""


def parse_partial(text: str, into: Shape | TypeForm[Any]) -> Partial:  # Any: any type
    """The beginning of a value, out of the beginning of a text; never raises over the text.

    Args:
        text: What has arrived.
        into: The type, or its shape when the same type is read often.

    Example:
        >>> parse_partial('{"name": "Ada", "age": 3', dict[str, str | int])
        Partial(value={'name': 'Ada'}, complete=False)
    """
    shape = cast("Shape", into) if isinstance(into, get_args(Shape)) else shape_of(into)
    if isinstance(shape, StringShape) and shape.text:
        return Partial(text or None, complete=False)
    text, _, base = visible(text, growing=True)
    if not text.strip():
        return Partial(None, complete=False)
    try:
        found, _ = candidates(text, base, partial=True)
        readings: list[tuple[bool, int, int, JsonValue, bool]] = []
        for order, one in enumerate(found):
            if not isinstance(one.value, dict | list):
                continue
            aligner = Aligner(partial=True)
            value = aligner.align(one.value, shape)
            readings.append((bool(aligner.fatal), one.place, order, value, not one.cut))
    except RecursionError:
        return Partial(None, complete=False)
    if not readings:
        return Partial(None, complete=False)
    _, _, _, value, complete = min(readings, key=lambda one: one[:3])
    return Partial(value, complete)
