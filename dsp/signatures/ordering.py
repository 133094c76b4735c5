"""Sets have no order, and prompts must: equal inputs give the same prompt, in every process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

__all__ = ["has_sets", "with_sets_in_order"]


def has_sets(schema: Mapping[str, JsonValue]) -> bool:
    """Whether values of this schema hold a set somewhere."""
    return '"uniqueItems": true' in json.dumps(schema)


def with_sets_in_order(value: JsonValue, schema: Mapping[str, JsonValue]) -> JsonValue:
    """The value with every set in it sorted by how its items are written."""
    definitions = cast("Mapping[str, Mapping[str, JsonValue]]", schema.get("$defs", {}))
    return _ordered(value, schema, definitions)


def _ordered(
    value: JsonValue, schema: Mapping[str, JsonValue], definitions: Mapping[str, Mapping[str, JsonValue]]
) -> JsonValue:
    if not isinstance(value, list | dict):
        return value
    reference = schema.get("$ref")
    if isinstance(reference, str):
        return _ordered(value, definitions.get(reference.removeprefix("#/$defs/"), {}), definitions)
    for keyword in ("anyOf", "oneOf", "allOf"):
        for choice in cast("list[Mapping[str, JsonValue]]", schema.get(keyword, [])):
            value = _ordered(value, choice, definitions)
    if isinstance(value, dict):
        named = cast("Mapping[str, Mapping[str, JsonValue]]", schema.get("properties", {}))
        others = schema.get("additionalProperties")
        other: Mapping[str, JsonValue] = others if isinstance(others, dict) else {}
        return {key: _ordered(each, named.get(key, other), definitions) for key, each in value.items()}
    if not isinstance(value, list):
        return value
    places = cast("list[Mapping[str, JsonValue]]", schema.get("prefixItems", []))
    items = schema.get("items")
    rest: Mapping[str, JsonValue] = items if isinstance(items, dict) else {}
    inside = [_ordered(each, places[i] if i < len(places) else rest, definitions) for i, each in enumerate(value)]
    if schema.get("uniqueItems") is True:
        inside.sort(key=lambda item: json.dumps(item, sort_keys=True, ensure_ascii=False))
    return inside
