"""What a prompt shows of a model: its fields, and the nested types that they name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

__all__ = ["SignatureField", "TypeDefinition"]


@dataclass(frozen=True)
class SignatureField:
    """One field of an input, an output or a nested type, as a prompt shows it."""

    name: str
    """The name in Python: the stable key."""
    label: str
    """What a prompt shows and a reply says: the alias that the model gives, else the name."""
    annotation: Any
    """The type, with its `Annotated` metadata. `Any`, because a type has no type that all types share."""
    description: str
    """What the author of the model says of the field, examples included; empty if nothing."""
    type_text: str
    """The type in words, with its constraints: `integer, at least 0`."""
    constraints: tuple[str, ...]
    """The constraints alone, one phrase each."""
    required: bool
    """Whether a value must be given."""
    default: JsonValue | None
    """What stands in for a value that is not given, as JSON; None also where there is none (see `has_default`)."""
    has_default: bool
    """Whether `default` is the default. False for a required field, for a factory and for what JSON cannot say."""
    is_text: bool
    """Whether the value is free text, shown as it is; everything else is shown as JSON."""
    schema: Mapping[str, JsonValue]
    """The JSON schema of the field, as Pydantic validates it."""


@dataclass(frozen=True)
class TypeDefinition:
    """A nested type that a `type_text` calls by its name."""

    name: str
    """The name as `type_text` writes it between backquotes."""
    description: str
    """The docstring of the type; empty if none."""
    fields: tuple[SignatureField, ...]
    """The fields of an object; empty for a recursive type that is none (a list of itself), which `type_text` describes."""
    type_text: str = "an object"
    """`an object`, or for a recursive type that is no object, what it is."""
