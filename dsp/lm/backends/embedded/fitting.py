"""Whether a value that an example shows is of the type that the prompt asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import JsonValue

    from dsp.lm.backends.embedded.shape import Shape

__all__ = ["fitting"]

DEPTH = 20


def fitting(value: JsonValue, shape: Shape, depth: int = 0) -> bool:
    """Whether a value is of a shape. Patterns, forms and nested models are taken on trust: an example holds valid ones.

    Example:
        >>> from dsp.lm.backends.embedded.shape import shape_of
        >>> fitting(5, shape_of("integer, at most 4"))
        False
    """
    kind = shape.kind
    if kind == "any" or depth > DEPTH:
        return True
    if kind == "null":
        return value is None
    if kind == "choice":
        return any(value == option and type(value) is type(option) for option in shape.options)
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "union":
        return any(fitting(value, item, depth + 1) for item in shape.items)
    if kind == "string":
        return isinstance(value, str) and shape.size.holds(len(value))
    if kind in ("integer", "number"):
        whole = isinstance(value, int) or kind == "number"
        return isinstance(value, (int, float)) and not isinstance(value, bool) and whole and shape.bounds.holds(value)
    if kind == "list":
        return (
            isinstance(value, list)
            and shape.size.holds(len(value))
            and all(fitting(item, shape.items[0], depth + 1) for item in value)
        )
    if kind == "tuple":
        return (
            isinstance(value, list)
            and len(value) == len(shape.items)
            and all(fitting(item, one, depth + 1) for item, one in zip(value, shape.items, strict=True))
        )
    return isinstance(value, dict) and shape.size.holds(len(value))
