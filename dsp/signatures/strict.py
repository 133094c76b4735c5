"""The JSON schema of an output, as providers' strict modes want it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from dsp.signatures.reading import Node, contains_itself, is_node, key_of
from dsp.signatures.words import FORMATS as SPOKEN
from dsp.signatures.words import UNSAID

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import JsonValue

__all__ = ["OutputSchema", "strict_schema"]


@dataclass(frozen=True)
class OutputSchema:
    """What a provider is told of the form of a reply."""

    schema: dict[str, JsonValue]
    """A JSON schema: one object, closed wherever its type allows, every key required."""
    strict: bool
    """Whether the schema keeps to what strict mode takes. If not, only Pydantic checks the whole of it."""
    why: tuple[str, ...]
    """What the schema as such does not say, a sentence each."""


FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}
KEPT = {
    "string": {"enum", "const", "pattern", "format"},
    "integer": {"enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
    "number": {"enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
    "boolean": {"enum", "const"},
    "null": set[str](),
    "array": {"minItems", "maxItems"},
    "object": set[str](),
}
"""The keywords of each type that strict mode takes, those that hold schemas apart."""
SILENT = {
    "title",
    "description",
    "examples",
    "default",
    "deprecated",
    "readOnly",
    "writeOnly",
    "discriminator",
    "type",
    "$defs",
}
"""Keywords that limit no value, or that are dealt with by name."""


def strict_schema(
    properties: Mapping[str, Mapping[str, JsonValue]],
    required: Sequence[str],
    definitions: Mapping[str, Mapping[str, JsonValue]],
    *,
    open_object: bool = False,
) -> OutputSchema:
    """The schema of an object with these properties, in this order."""
    writer = _Writer(definitions)
    root: Node = {"type": "object", "properties": {key: dict(node) for key, node in properties.items()}}
    root["required"] = list(required)
    if open_object:
        root["additionalProperties"] = True
    schema = writer.write(root, "the output")
    if used := writer.used():
        schema["$defs"] = used
    return OutputSchema(schema=schema, strict=writer.strict, why=tuple(dict.fromkeys(writer.why)))


class _Writer:
    def __init__(self, definitions: Mapping[str, Mapping[str, JsonValue]]) -> None:
        self._definitions = definitions
        self._done: dict[str, Node] = {}
        self.strict = True
        self.why: list[str] = []

    def used(self) -> dict[str, JsonValue]:
        return {key: self._done[key] for key in self._definitions if key in self._done}

    def write(self, node: Node, where: str) -> Node:
        """One schema, rewritten; `where` names it in `why`."""
        notes: list[str] = []
        result = self._written(node, where, notes)
        description = str(node.get("description") or result.get("description") or "")
        if examples := node.get("examples"):
            notes.append(f"For example: {', '.join(_json(one) for one in examples)}.")
        text = _joined(description, *notes)
        if text and "$ref" in result:
            # A reference takes no description beside it: say the type here, its parts stay references.
            key = key_of(str(result["$ref"]))
            result = {**self._done[key]} if self._done[key] else {"anyOf": [result]}
        return {**result, "description": text} if text else result

    def _written(self, node: Node, where: str, notes: list[str]) -> Node:
        if isinstance(ref := node.get("$ref"), str):
            return self._reference(ref, where)
        for keyword in ("anyOf", "oneOf"):
            if keyword in node:
                return self._union(node, keyword, where)
        if "type" not in node and ("enum" in node or "const" in node):
            return _values(node)
        kind = node.get("type")
        if kind == "array":
            return self._array(node, where, notes)
        if kind == "object":
            return self._object(node, where, notes)
        if not isinstance(kind, str) or kind not in KEPT:
            self.strict = False
            self.why.append(f"{where} can be any JSON value, which strict mode cannot say.")
            kept = {key: value for key, value in node.items() if key not in SILENT}
            return {**kept, "type": kind} if kind is not None else kept
        return self._plain(node, kind, where, notes)

    def _plain(self, node: Node, kind: str, where: str, notes: list[str]) -> Node:
        result: Node = {"type": kind}
        url = "uri" in str(node.get("format"))
        for key, value in node.items():
            if key in SILENT or (key == "format" and value in UNSAID) or (url and key in {"minLength", "maxLength"}):
                continue
            if key in KEPT[kind] and _sayable(key, value):
                result[key] = value
            else:
                self._note(key, value, where, notes)
        return result

    def _note(self, key: str, value: Any, where: str, notes: list[str]) -> None:
        said = SPOKEN.get(value, value) if key == "format" else value
        notes.append(_SENTENCES.get(key, key + ": {}.").format(said if isinstance(said, str | int) else _json(said)))
        self.why.append(f"{where}: strict mode does not take `{key}`, so the description says it.")

    def _reference(self, ref: str, where: str) -> Node:
        key = key_of(ref)
        definition = dict(self._definitions[key])
        if "properties" not in definition and not contains_itself(self._definitions, key):
            return self.write(definition, where)  # an enum, or a type alias: said in place
        if key not in self._done:
            self._done[key] = {}
            self._done[key].update(self.write(definition, f"`{definition.get('title', key)}`"))
        return {"$ref": ref}

    def _union(self, node: Node, keyword: str, where: str) -> Node:
        if keyword == "oneOf" or "discriminator" in node:
            self.why.append(
                f"{where} is one of several objects told apart by a field: strict mode takes `anyOf` only, which says less."
            )
        return {"anyOf": [self.write(member, where) for member in cast("list[Node]", node[keyword])]}

    def _array(self, node: Node, where: str, notes: list[str]) -> Node:
        result = self._plain(
            {key: value for key, value in node.items() if key not in {"items", "prefixItems"}}, "array", where, notes
        )
        if "uniqueItems" in result:
            del result["uniqueItems"]
        fixed = cast("list[Node] | None", node.get("prefixItems"))
        if fixed is None:
            result["items"] = self.write(cast("Node", node.get("items") or {}), f"each item of {where}")
            return result
        items = [self.write(item, f"item {place} of {where}") for place, item in enumerate(fixed, 1)]
        distinct = [item for place, item in enumerate(items) if item not in items[:place]]
        if len(distinct) > 1:
            notes.append(f"The items, in this order: {'; '.join(_brief(item) for item in items)}.")
            self.why.append(f"{where} has items of different types in a fixed order, which only the description says.")
        result["items"] = distinct[0] if len(distinct) == 1 else {"anyOf": distinct}
        return result

    def _object(self, node: Node, where: str, notes: list[str]) -> Node:
        extra: Any = node.get("additionalProperties")
        patterns = node.get("patternProperties")
        if "properties" not in node and extra is not False:
            return self._open(node, where)
        result: Node = {"type": "object", "properties": {}}
        required = set(cast("list[str]", node.get("required", ())))
        for name, inner in cast("dict[str, Node]", node.get("properties", {})).items():
            place = f"`{name}`" if where == "the output" else f"`{name}` of {where}"
            result["properties"][name] = self._property(inner, place, optional=name not in required)
        result["required"] = list(result["properties"])
        if extra or patterns:
            self.strict = False
            self.why.append(f"{where} takes further keys, so its object is open.")
            result["additionalProperties"] = (
                self.write(extra, f"each further value of {where}") if is_node(extra) else True
            )
        else:
            result["additionalProperties"] = False
        for key in ("minProperties", "maxProperties", "propertyNames"):
            if key in node:
                self._note(key, node[key], where, notes)
        return result

    def _property(self, node: Node, where: str, *, optional: bool) -> Node:
        result = self.write(node, where)
        if not optional:
            return result
        default = node.get("default")
        if "default" in node and default is not None:
            self.why.append(f"{where} has a default; strict mode wants every key, so the description gives it.")
            said = f"If nothing else fits: {_json(default)}."
            if "$ref" in result:
                result = dict(self._done[key_of(str(result["$ref"]))]) or {"anyOf": [result]}
            return {**result, "description": _joined(str(result.get("description", "")), said)}
        if not _nullable(node):
            self.why.append(f"{where} may be left out; strict mode wants every key.")
        return result

    def _open(self, node: Node, where: str) -> Node:
        self.strict = False
        self.why.append(f"{where} is an object with keys of any name, which strict mode cannot say.")
        result: Node = {key: value for key, value in node.items() if key not in SILENT}
        result["type"] = "object"
        extra = node.get("additionalProperties", True)
        result["additionalProperties"] = self.write(extra, f"each value of {where}") if is_node(extra) else bool(extra)
        if isinstance(patterns := node.get("patternProperties"), dict):
            result["patternProperties"] = {
                key: self.write(inner, f"each value of {where}")
                for key, inner in cast("dict[str, Node]", patterns).items()
            }
            del result["additionalProperties"]
        return result


_SENTENCES = {
    "minLength": "At least {} characters.",
    "maxLength": "At most {} characters.",
    "uniqueItems": "No item twice.",
    "format": "It is {}.",
    "contentMediaType": "The text is {}.",
    "contentSchema": "The text fits the schema {}.",
    "pattern": "Matches {}.",
    "minProperties": "At least {} entries.",
    "maxProperties": "At most {} entries.",
}


def _joined(*sentences: str) -> str:
    """Sentences in a row; one that stops without a mark gets a full stop before the next."""
    text = ""
    for sentence in filter(None, sentences):
        text += f"{'' if text[-1] in '.!?:;' else '.'} {sentence}" if text else sentence
    return text


def _sayable(key: str, value: Any) -> bool:
    if key == "format":
        return value in FORMATS
    # Groups with `(?` (look-around, flags, names) are Python's own, and no provider's.
    return not (key == "pattern" and "(?" in str(value))


def _values(node: Node) -> Node:
    """An enum of several types, one branch for each type."""
    values = cast("list[Any]", node["enum"] if "enum" in node else [node["const"]])
    branches: dict[str, list[Any]] = {}
    for value in values:
        branches.setdefault(_type_of(value), []).append(value)
    parts: list[Node] = [
        {"type": kind} if kind == "null" else {"type": kind, "enum": own} for kind, own in branches.items()
    ]
    return parts[0] if len(parts) == 1 else {"anyOf": parts}


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    kinds: dict[object, str] = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}
    return kinds.get(type(cast("object", value)), "object")


def _nullable(node: Node) -> bool:
    return node.get("type") == "null" or any(_nullable(one) for one in cast("list[Node]", node.get("anyOf", ())))


def _brief(node: Node) -> str:
    if "$ref" in node:
        return key_of(str(node["$ref"]))
    return str(node.get("description") or node.get("type") or _json(node))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
