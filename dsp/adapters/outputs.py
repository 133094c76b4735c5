"""What adapters need to know of a signature's outputs to read and to write them, without holding its models."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError, to_json

from dsp.adapters.reply import invalid
from dsp.adapters.template import as_json
from dsp.repair import AnyShape, ChoiceShape, ObjectShape, StringShape, UnionShape, shape_of
from dsp.repair.doubt import doubt_of
from dsp.repair.shape import MemberField

if TYPE_CHECKING:
    from pydantic import JsonValue, ValidationError

    from dsp.errors import ParseError
    from dsp.repair import Shape
    from dsp.signatures import Example, Signature

__all__ = ["OutputField", "OutputReader"]

O = TypeVar("O", bound=BaseModel)


@dataclass(frozen=True)
class OutputField:
    """One field, as a reply gives it."""

    label: str
    name: str
    type_text: str
    is_text: bool
    required: bool
    shape: Shape

    @property
    def admits_text(self) -> bool:
        """Whether any text at all may be its value."""
        if isinstance(self.shape, UnionShape):
            return any(isinstance(arm, StringShape | AnyShape) for arm in self.shape.arms)
        return isinstance(self.shape, StringShape | AnyShape)

    @cached_property
    def members(self) -> frozenset[str]:
        """The plain strings that the field may be; empty where it is no choice among plain strings."""
        if not isinstance(self.shape, ChoiceShape) or not self.shape.plain:
            return frozenset()
        return frozenset(one.value for one in self.shape.members if isinstance(one.value, str))

    def bare(self, value: str) -> bool:
        """Whether a value is shown without quotes: a member of a choice among plain strings."""
        return (
            value in self.members and bool(value) and value == value.strip() and "\n" not in value and "[" not in value
        )


class OutputReader:
    """The outputs of one signature, leading fields first."""

    def __init__(self, signature: Signature[Any, Any]) -> None:  # Any: whatever its models
        leading = len(signature.leading_fields)
        whole = shape_of(signature.output)
        found: list[OutputField] = []
        for index, field in enumerate(signature.output_fields):
            shape: Shape
            if index < leading:
                shape = shape_of(field.annotation)
            elif not signature.output_is_object:
                shape = whole
            elif isinstance(whole, ObjectShape) and field.label in whole.by_name:
                shape = whole.by_name[field.label].shape
            else:
                shape = AnyShape()
            found.append(OutputField(field.label, field.name, field.type_text, field.is_text, field.required, shape))
        self.fields: tuple[OutputField, ...] = tuple(found)
        """Every field of a reply."""
        self.shape: ObjectShape = ObjectShape(getattr(signature.output, "__name__", "output"), open=False)
        """The shape of a reply that is one object."""
        if isinstance(whole, ObjectShape) and signature.output_is_object:
            self.shape.open = whole.open
            own = whole.fields
        else:
            own = tuple(MemberField(one.label, (one.label,), one.shape, one.required) for one in found[leading:])
        self.shape.fill(
            (*(MemberField(one.label, (one.label,), one.shape, one.required) for one in found[:leading]), *own)
        )
        self.by_name: bool | None = _by_name(signature)
        """Whether replies may use Python names beside aliases; None where the output is not one object of a model."""
        self.doubt: re.Pattern[str] | None = doubt_of(self.shape)
        """What a reply must not hold to be validated at once."""
        self._leading = tuple((one.label, one.name) for one in found[:leading])
        self._types = {one.label: one.type_text for one in found}

    def accepted(
        self, signature: Signature[Any, O], values: Mapping[str, JsonValue]
    ) -> O | None:  # Any: whatever its inputs
        """The output, where the values fit as they stand; extra keys are refused, at every depth."""
        if self.by_name is None:
            return None
        if self._leading:
            values = dict(values)
            for label, _ in self._leading:
                values.pop(label, None)
        try:
            text = to_json(values, inf_nan_mode="constants").decode()
        except PydanticSerializationError:
            return None  # half of a surrogate pair, which Python can hold and UTF-8 cannot
        return self.at_once(signature, text)

    def at_once(self, signature: Signature[Any, O], text: str) -> O | None:  # Any: whatever its inputs
        """The output that a JSON text is, where it is just what the type asks for and can mean nothing else."""
        if self.by_name is None or (self.doubt is not None and self.doubt.search(text) is not None):
            return None
        try:
            # The validator is typed as giving Any; it was made for O.
            return cast(
                "O",
                signature.output.__pydantic_validator__.validate_json(
                    text, strict=True, extra="forbid", by_alias=True, by_name=self.by_name
                ),
            )
        except ValueError:
            return None  # to be read with more patience, which also says what is wrong

    def leading(self, values: Mapping[str, JsonValue]) -> dict[str, str]:
        """The values of the leading fields, by name."""
        if not self._leading:
            return {}
        found = {name: values[label] for label, name in self._leading if label in values}
        return {name: value if isinstance(value, str) else as_json(value) for name, value in found.items()}

    def leading_of(self, demo: Example[Any, Any]) -> dict[str, JsonValue]:
        """What a demo's metadata says for the leading fields; a demo without it shows none."""
        return {label: demo.metadata[name] for label, name in self._leading if name in demo.metadata}

    def refused(self, reply: str, error: ValidationError) -> ParseError:
        """The error for values that the output model refuses."""
        return invalid(reply, error, self._types)


def _by_name(signature: Signature[Any, Any]) -> bool | None:
    if not signature.output_is_object:
        return None
    own = signature.output_fields[len(signature.leading_fields) :]
    labels = {field.label for field in own if field.label != field.name}
    # One field's name is another's alias: read by alias alone, or a value could end up in the wrong field.
    return not labels & {field.name for field in own}
