"""Types in words: what a prompt says of the value that a field takes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from dsp.signatures.reading import BOUNDS, DECIMAL, KEYS, MEMBERS, key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dsp.signatures.reading import Node, Reading

__all__ = ["Words"]

FORMATS = {
    "date-time": "an ISO 8601 date-time",
    "date": "an ISO 8601 date",
    "time": "an ISO 8601 time",
    "duration": "an ISO 8601 duration",
    "uuid": "a UUID",
    "uri": "a URL",
    "multi-host-uri": "a URL",
    "email": "an email address",
    "name-email": "a name and an email address",
    "ipv4": "an IPv4 address",
    "ipv6": "an IPv6 address",
    "ipv4network": "an IPv4 network",
    "ipv6network": "an IPv6 network",
    "ipv4interface": "an IPv4 interface",
    "ipv6interface": "an IPv6 interface",
    "path": "a file path",
    "file-path": "a file path",
    "directory-path": "a directory path",
    "base64": "base64",
    "base64url": "base64url",
}
TYPED = {"date-time", "date", "time", "duration", "uuid"}
"""Formats whose values are no free text."""
UNSAID = {"binary", "password"}
"""Formats that say nothing about what to write."""
SCALARS = {"integer": "integer", "number": "number", "boolean": "true or false", "null": "null"}


class Words:
    """Describes the parts of one schema. `names` says what a definition is called, or None where it is spelt out."""

    def __init__(self, reading: Reading, names: Callable[[str], str | None]) -> None:
        self._reading = reading
        self._names = names

    def text(self, node: Node) -> str:
        """The type and its constraints: `list of integer, at least 1 items`."""
        return ", ".join([self.kind(node), *self.constraints(node)])

    def is_text(self, node: Node) -> bool:
        """Whether the value is free text."""
        node = self._reading.resolve(node)
        plain = node.get("type") == "string" and not ({"enum", "const", DECIMAL} & node.keys())
        return plain and node.get("format") not in TYPED

    def note(self, node: Node) -> str:
        """A sentence of what a JSON schema leaves out of this very node; empty if nothing."""
        if MEMBERS in node:
            choice = _choice(node["enum"], node[MEMBERS])
            return _sentence(choice) if "(" in choice else ""
        if DECIMAL in node:
            return _sentence(", ".join(["a decimal number", *_constraints(node)]))
        if BOUNDS in node:
            return _sentence(", ".join(_constraints(node)))
        return f"Keys: {self.text(node[KEYS])}." if KEYS in node else ""

    def constraints(self, node: Node) -> tuple[str, ...]:
        """What a value has to keep to, beyond its type."""
        if isinstance(ref := node.get("$ref"), str) and self._names(key_of(ref)) is not None:
            return ()
        return tuple(_constraints(self._reading.resolve(node)))

    def kind(self, node: Node) -> str:
        """The type without its constraints."""
        if isinstance(ref := node.get("$ref"), str) and (name := self._names(key_of(ref))) is not None:
            return name
        return self._kind(self._reading.resolve(node))

    def _kind(self, node: Node) -> str:
        if "const" in node:
            return f"exactly {_json(node['const'])}"
        if "enum" in node:
            return _choice(node["enum"], node.get(MEMBERS))
        if (members := node.get("anyOf") or node.get("oneOf")) is not None:
            return self._union(cast("list[Node]", members))
        kind = node.get("type")
        if kind == "string":
            return _string(node)
        if kind == "array":
            return self._array(node)
        if kind == "object":
            return self._object(node)
        return SCALARS.get(str(kind), "any JSON value")

    def _union(self, members: Sequence[Node]) -> str:
        texts = dict.fromkeys(self.text(member) for member in members)
        ordered = [text for text in texts if text != "null"] + [text for text in texts if text == "null"]
        return " or ".join(ordered)

    def _array(self, node: Node) -> str:
        if (fixed := node.get("prefixItems")) is not None:
            items = [self._part(item, commas=True) for item in cast("list[Node]", fixed)]
            return f"list of exactly {len(items)}: {', '.join(items)}" if items else "empty list"
        if node.get("maxItems") == 0:
            return "empty list"
        item = self._part(cast("Node", node.get("items") or {}))
        return f"list of {item} without repeats" if node.get("uniqueItems") else f"list of {item}"

    def _object(self, node: Node) -> str:
        values = node.get("additionalProperties")
        if "properties" in node and not isinstance(values, dict):
            return "object with " + ", ".join(
                f"{_json(name)}: {self._part(inner, commas=True)}"
                for name, inner in cast("dict[str, Node]", node["properties"]).items()
            )
        patterns = cast("dict[str, Node]", node.get("patternProperties") or {})
        if patterns:
            pattern, values = next(iter(patterns.items()))
            keys = f"string (matching {pattern})"
        else:
            keys = self._part(cast("Node", node[KEYS]), commas=True) if KEYS in node else "string"
        words = self._part(cast("Node", values), commas=True) if isinstance(values, dict) else "any JSON"
        return f"object with {keys} keys and {words} values"

    def _part(self, node: Node, *, commas: bool = False) -> str:
        """A type inside another one, in parentheses where it could be read two ways."""
        text = self.text(node)
        resolved = self._reading.resolve(node)
        union = ("anyOf" in resolved or "oneOf" in resolved) and " or " in text
        nested = commas and (", " in text or text.startswith("object with "))
        return f"({text})" if union or nested else text


def _string(node: Node) -> str:
    if DECIMAL in node:
        return "string, a decimal number"
    form = node.get("format")
    if form is None or form in UNSAID:
        return "string, JSON text" if node.get("contentMediaType") == "application/json" else "string"
    return f"string, {FORMATS.get(form, f'in the format {form}')}"


def _choice(values: Sequence[Any], names: Sequence[str] | None) -> str:
    written = [_json(value) for value in values]
    if names is not None and any(
        _folded(name) != _folded(str(value)) for name, value in zip(names, values, strict=True)
    ):
        written = [f"{value} ({name})" for name, value in zip(names, written, strict=True)]
    return f"exactly {written[0]}" if len(written) == 1 else f"one of {', '.join(written)}"


def _folded(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def _constraints(node: Node) -> Iterator[str]:
    bounds: dict[str, Any] = node.get(DECIMAL, {})
    for key, own, phrase in (
        ("minimum", "ge", "at least"),
        ("exclusiveMinimum", "gt", "more than"),
        ("maximum", "le", "at most"),
        ("exclusiveMaximum", "lt", "less than"),
        ("multipleOf", "multiple_of", "a multiple of"),
    ):
        if (bound := node.get(key, bounds.get(own))) is not None:
            yield f"{phrase} {bound}"
    if (digits := bounds.get("max_digits")) is not None:
        yield f"at most {digits} digits"
    if (places := bounds.get("decimal_places")) is not None:
        yield f"at most {places} decimal places"
    dates: dict[str, str] = node.get(BOUNDS, {})
    words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    if node.get("format") != "duration":
        words = {"ge": "not before", "gt": "after", "le": "not after", "lt": "before"}
    for key, bound in dates.items():
        yield f"in the {bound}" if key == "now" else f"{words[key]} {bound}"
    yield from _lengths(node)
    if "pattern" in node:
        yield f"matching {node['pattern']}"


def _lengths(node: Node) -> Iterator[str]:
    if node.get("type") == "string" and node.get("format") not in {"uri", "multi-host-uri"}:
        yield from _range(node, "minLength", "maxLength", "characters")
    if node.get("type") == "array" and "prefixItems" not in node and node.get("maxItems") != 0:
        yield from _range(node, "minItems", "maxItems", "items")
    if node.get("type") == "object":
        yield from _range(node, "minProperties", "maxProperties", "entries")


def _range(node: Node, low: str, high: str, unit: str) -> Iterator[str]:
    if node.get(low):
        yield f"at least {node[low]} {unit}"
    if node.get(high) is not None:
        yield f"at most {node[high]} {unit}"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
