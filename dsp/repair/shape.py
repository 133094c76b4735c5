"""The shape that a type gives to JSON: what repair needs to know of it, and nothing that keeps a class alive."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias, cast
from unicodedata import combining, normalize

from pydantic import BaseModel, TypeAdapter
from typing_extensions import TypeIs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

__all__ = [
    "AnyShape",
    "BoolShape",
    "ChoiceShape",
    "LinkShape",
    "ListShape",
    "Member",
    "MemberField",
    "NullShape",
    "NumberShape",
    "ObjectShape",
    "OpenShape",
    "Shape",
    "ShapeReader",
    "StringShape",
    "UnionShape",
    "normal",
    "shape_of",
]

SEPARATORS = re.compile(r"[\s_\-.]+")
BETWEEN_DIGITS = re.compile(r"(?<=\d)[\s_\-.]+(?=\d)")


def normal(name: str) -> str:
    """A name without case, accents, spaces, underscores, hyphens and dots: what two spellings of one name share.

    Between digits a separator stays, as `-`: 1.1 is not 11.
    """
    name = SEPARATORS.sub("", BETWEEN_DIGITS.sub("\0", name)).replace("\0", "-")
    if not name.isascii():
        name = "".join(letter for letter in normalize("NFKD", name) if not combining(letter))
    return name.casefold()


@dataclass(frozen=True)
class AnyShape:
    """Any JSON value, or a type whose form only its own validator knows."""


@dataclass(frozen=True)
class NullShape:
    """`null`."""


@dataclass(frozen=True)
class BoolShape:
    """`true` or `false`."""


@dataclass(frozen=True)
class NumberShape:
    """A number."""

    whole: bool
    """Whether only integers fit."""
    exact: bool = False
    """A `Decimal`, which keeps every digit that is written."""


@dataclass(frozen=True)
class StringShape:
    """A JSON string."""

    text: bool
    """Free text; False for a date, a UUID and their like, which are written as strings."""
    day: bool = False
    """A date, which may be written in words."""
    moment: bool = False
    """A date or a time of day, for which digits alone would be seconds since 1970 to Pydantic and to nobody else."""


@dataclass(frozen=True)
class Member:
    """One member of a `Literal` or an `Enum`."""

    value: JsonValue
    """What is written in JSON."""
    names: tuple[str, ...]
    """By what else it may be called: the name of an Enum's member."""


@dataclass(frozen=True)
class ChoiceShape:
    """One of a few values."""

    members: tuple[Member, ...]

    @cached_property
    def plain(self) -> bool:
        """Whether all are strings, so that one can be written without quotes and be nothing else."""
        return all(isinstance(one.value, str) for one in self.members)


@dataclass(frozen=True)
class ListShape:
    """An array."""

    items: tuple[Shape, ...]
    """The shape of each item; the last one stands for all that follow."""
    fixed: bool
    """A tuple of a fixed length."""


@dataclass(frozen=True)
class OpenShape:
    """An object with free keys."""

    keys: Shape
    values: Shape


@dataclass(frozen=True)
class MemberField:
    """One field of an object."""

    key: str
    """The key that validation takes: the alias, else the name."""
    names: tuple[str, ...]
    """Every key that validation takes."""
    shape: Shape
    required: bool


@dataclass(eq=False)
class ObjectShape:
    """An object with known keys. Compared by identity: a recursive model's shape holds itself."""

    name: str
    """The model's name."""
    open: bool
    """Whether other keys are kept."""
    fields: tuple[MemberField, ...] = ()
    by_name: Mapping[str, MemberField] = field(default_factory=dict[str, MemberField])
    """Field by each exact name."""
    by_normal: Mapping[str, tuple[MemberField, ...]] = field(default_factory=dict[str, tuple[MemberField, ...]])
    """Fields by name without case and separators."""

    def fill(self, fields: tuple[MemberField, ...]) -> None:
        """Set the fields; apart from the constructor, since a recursive model meets itself among them."""
        self.fields = fields
        self.by_name = {name: one for one in fields for name in one.names}
        found: dict[str, tuple[MemberField, ...]] = {}
        for one in fields:
            for key in {normal(name) for name in one.names}:
                found[key] = (*found.get(key, ()), one)
        self.by_normal = found


@dataclass(frozen=True)
class UnionShape:
    """One of several shapes."""

    arms: tuple[Shape, ...]


@dataclass(eq=False)
class LinkShape:
    """A place that is filled later, for a recursive type that is not a model."""

    target: Shape = AnyShape()


Shape: TypeAlias = (
    AnyShape
    | NullShape
    | BoolShape
    | NumberShape
    | StringShape
    | ChoiceShape
    | ListShape
    | OpenShape
    | ObjectShape
    | UnionShape
    | LinkShape
)

ANY = AnyShape()
SIMPLE: dict[str, Shape] = {
    "none": NullShape(),
    "bool": BoolShape(),
    "int": NumberShape(whole=True),
    "float": NumberShape(whole=False),
    "decimal": NumberShape(whole=False, exact=True),
    "str": StringShape(text=True),
    "date": StringShape(text=False, day=True, moment=True),
    "time": StringShape(text=False, moment=True),
    "datetime": StringShape(text=False, moment=True),
    "timedelta": StringShape(text=False),
    "uuid": StringShape(text=False),
    "url": StringShape(text=False),
    "multi-host-url": StringShape(text=False),
    "bytes": StringShape(text=False),
}
INNER = frozenset(("default", "function-before", "function-after", "function-wrap", "nullable"))
Schema: TypeAlias = "dict[str, Any]"  # a core schema: a union of some fifty TypedDicts, read by its `type`


class ShapeReader:
    """Reads the core schema that Pydantic made of a type."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}
        self.known: dict[str, Shape] = {}

    def read(self, schema: Schema) -> Shape:
        """The shape of one schema."""
        kind: str = schema["type"]
        if (simple := SIMPLE.get(kind)) is not None:
            return simple
        if kind == "definitions":
            for definition in schema["definitions"]:
                self.definitions[definition["ref"]] = definition
            return self.read(schema["schema"])
        if kind == "definition-ref":
            return self.reference(schema["schema_ref"])
        if kind == "model":
            return self.model(schema)
        if kind in ("typed-dict", "dataclass"):
            return self.record(schema)
        if kind == "nullable":
            return UnionShape((self.read(schema["schema"]), SIMPLE["none"]))
        if kind in INNER:
            inner = self.read(schema["schema"])
            if kind in ("function-before", "function-wrap") and isinstance(inner, ObjectShape):
                inner.open = True  # the validator may take keys that the fields do not show
            return inner
        if kind == "literal":
            return ChoiceShape(tuple(member(value) for value in schema["expected"]))
        if kind == "enum":
            return ChoiceShape(tuple(member(one) for one in schema["members"]))
        if kind in ("list", "set", "frozenset", "generator"):
            return ListShape((self.optional(schema.get("items_schema")),), fixed=False)
        if kind == "tuple":
            items = tuple(self.read(item) for item in schema["items_schema"])
            return ListShape(items, fixed="variadic_item_index" not in schema)
        if kind == "dict":
            return OpenShape(self.optional(schema.get("keys_schema")), self.optional(schema.get("values_schema")))
        if kind == "union":
            choices = cast("list[Schema | tuple[Schema, str]]", schema["choices"])
            return UnionShape(tuple(self.read(one[0] if isinstance(one, tuple) else one) for one in choices))
        if kind == "tagged-union":
            tagged = cast("dict[Any, Schema]", schema["choices"])
            return UnionShape(tuple(self.read(one) for one in tagged.values()))
        if kind == "json-or-python":
            return self.read(schema["json_schema"])
        if kind == "lax-or-strict":
            return self.read(schema["lax_schema"])
        if kind == "chain":
            return self.read(schema["steps"][0])
        return ANY

    def optional(self, schema: Schema | None) -> Shape:
        """The shape of a part that may be left unsaid."""
        return ANY if schema is None else self.read(schema)

    def reference(self, ref: str) -> Shape:
        """The shape of a definition, which may be under way."""
        if (known := self.known.get(ref)) is not None:
            return known
        schema = self.definitions[ref]
        if schema["type"] in ("model", "typed-dict", "dataclass"):
            return self.read(schema)
        link = self.known[ref] = LinkShape()
        link.target = self.read(schema)
        return link

    def model(self, schema: Schema) -> Shape:
        """The shape of a model, or of what a root model holds."""
        inner = schema["schema"]
        early = False
        while inner["type"] in INNER:
            early = early or inner["type"] in ("function-before", "function-wrap")
            inner = inner["schema"]
        if schema.get("root_model") or inner["type"] != "model-fields":
            return self.read(schema["schema"] if schema.get("root_model") else inner)
        return self.members(schema, inner["fields"], early=early)

    def record(self, schema: Schema) -> Shape:
        """The shape of a TypedDict or a dataclass."""
        if schema["type"] == "typed-dict":
            return self.members(schema, schema["fields"])
        inner = schema["schema"]
        while inner["type"] in INNER:
            inner = inner["schema"]
        if inner["type"] != "dataclass-args":
            return ANY
        return self.members(schema, {one["name"]: one for one in inner["fields"]})

    def members(self, schema: Schema, fields: Mapping[str, Schema], *, early: bool = False) -> Shape:
        """The shape of an object with known keys; `early` when a validator sees them before they are looked at."""
        ref: str = schema.get("ref", "")
        if ref in self.known:
            return self.known[ref]
        config: Mapping[str, Any] = schema.get("config") or {}
        name: str = schema["cls"].__name__ if "cls" in schema else schema.get("cls_name", "")
        shape = ObjectShape(name, early or config.get("extra_fields_behavior") == "allow")
        if ref:
            self.known[ref] = shape
        found: list[MemberField] = []
        for key, one in fields.items():
            names = names_of(one.get("validation_alias"), key)
            inner = one["schema"]
            required = bool(one.get("required", schema.get("total", True))) and inner["type"] != "default"
            found.append(MemberField(names[0], names, self.read(inner), required))
        shape.fill(tuple(found))
        return shape


def names_of(alias: object, name: str) -> tuple[str, ...]:
    """Every key that validation takes: the aliases first, then the field's own name."""
    if alias is None:
        return (name,)
    if isinstance(alias, str):
        return tuple(dict.fromkeys((alias, name)))
    # A list of paths, or one path: each starts with the key.
    paths = cast("list[Any]", alias)
    heads = [path if isinstance(path, str) else path[0] for path in paths]
    if paths and isinstance(paths[0], str):
        heads = heads[:1]
    return tuple(dict.fromkeys((*(head for head in heads if isinstance(head, str)), name)))


def member(value: object) -> Member:
    """A member of a Literal or an Enum, as JSON writes it."""
    if isinstance(value, Enum):
        inner: object = value.value
        return Member(inner if isinstance(inner, (str, int, float, bool)) else str(inner), (value.name,))
    return Member(value if isinstance(value, (str, int, float, bool)) or value is None else str(value), ())


def is_model(into: object) -> TypeIs[type[BaseModel]]:
    """Whether a type is a Pydantic model."""
    return isinstance(into, type) and issubclass(into, BaseModel)


def shape_of(into: object) -> Shape:
    """The shape of a type.

    Args:
        into: Any type that Pydantic can validate, `Annotated` and unions included.

    Raises:
        pydantic.PydanticSchemaGenerationError: Pydantic knows no way to validate the type.
    """
    if is_model(into):
        if not into.__pydantic_complete__:
            into.model_rebuild()
        return ShapeReader().read(cast("Schema", into.__pydantic_core_schema__))
    adapter = TypeAdapter[Any](cast("type[Any]", into))  # an annotation of any form: types have no type
    return ShapeReader().read(cast("Schema", adapter.core_schema))
