"""Pydantic's generator of JSON schemas, which also notes what these do not say. Loaded with the first signature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import typing_extensions
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, JsonSchemaWarningKind
from pydantic_core import to_jsonable_python

from dsp.signatures.reading import BOUNDS, CLASS, DECIMAL, KEYS, MEMBERS

if TYPE_CHECKING:
    from pydantic_core import core_schema

__all__ = ["SchemaReader"]


class SchemaReader(GenerateJsonSchema):
    """Pydantic's generator, which also notes what the JSON schema does not say."""

    # A default that JSON cannot say is left out; the field's `has_default` says so.
    ignored_warning_kinds: set[JsonSchemaWarningKind] = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012  (Pydantic declares it so)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.classes: list[type[Any]] = []

    @typing_extensions.override
    def sort(self, value: JsonSchemaValue, parent_key: str | None = None) -> JsonSchemaValue:
        return value  # the order of declaration is the order of the prompt

    @typing_extensions.override
    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def _noted(self, result: JsonSchemaValue, cls: type[Any]) -> JsonSchemaValue:
        self.classes.append(cls)
        return {**result, CLASS: len(self.classes) - 1}

    @typing_extensions.override
    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        result = super().model_schema(schema)
        return result if schema.get("root_model") else self._noted(result, schema["cls"])

    @typing_extensions.override
    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        return self._noted(super().dataclass_schema(schema), schema["cls"])

    @typing_extensions.override
    def typed_dict_schema(self, schema: core_schema.TypedDictSchema) -> JsonSchemaValue:
        result = super().typed_dict_schema(schema)
        cls = schema.get("cls")
        return result if cls is None else self._noted(result, cls)

    @typing_extensions.override
    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        members = schema["members"]
        return {**super().enum_schema(schema), MEMBERS: [member.name for member in members]}

    @typing_extensions.override
    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        bounds = ("ge", "gt", "le", "lt", "multiple_of", "max_digits", "decimal_places")
        given = cast("Mapping[str, Any]", schema)
        return {"type": "string", DECIMAL: {key: str(given[key]) for key in bounds if given.get(key) is not None}}

    @typing_extensions.override
    def date_schema(self, schema: core_schema.DateSchema) -> JsonSchemaValue:
        return _bounded(super().date_schema(schema), schema)

    @typing_extensions.override
    def time_schema(self, schema: core_schema.TimeSchema) -> JsonSchemaValue:
        return _bounded(super().time_schema(schema), schema)

    @typing_extensions.override
    def datetime_schema(self, schema: core_schema.DatetimeSchema) -> JsonSchemaValue:
        return _bounded(super().datetime_schema(schema), schema)

    @typing_extensions.override
    def timedelta_schema(self, schema: core_schema.TimedeltaSchema) -> JsonSchemaValue:
        return _bounded(super().timedelta_schema(schema), schema)

    @typing_extensions.override
    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        result = super().dict_schema(schema)
        keys = self.generate_inner(schema["keys_schema"]) if "keys_schema" in schema else {}
        return {**result, KEYS: keys} if keys and keys != {"type": "string"} else result


def _bounded(result: JsonSchemaValue, schema: Mapping[str, Any]) -> JsonSchemaValue:
    bounds = {key: to_jsonable_python(schema[key]) for key in ("ge", "gt", "le", "lt") if schema.get(key) is not None}
    if (relative := schema.get("now_op")) is not None:
        bounds["now"] = relative
    return {**result, BOUNDS: bounds} if bounds else result
