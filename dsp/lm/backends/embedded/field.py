"""A field as a prompt lists it, and an example as a prompt shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

    from dsp.lm.backends.embedded.shape import Shape

__all__ = ["Demo", "Field"]


@dataclass(frozen=True, slots=True)
class Field:
    """One value that a prompt asks for or gives."""

    label: str
    shape: Shape
    description: str = ""
    default: JsonValue = None
    has_default: bool = False
    """Whether the prompt says what to take when nothing else is known; the value is `default`."""


@dataclass(frozen=True, slots=True)
class Demo:
    """An example that the prompt shows: values by label."""

    inputs: Mapping[str, JsonValue]
    outputs: Mapping[str, JsonValue]
