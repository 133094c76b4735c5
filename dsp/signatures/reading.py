"""The JSON schema of a model, read for what a prompt and a provider need to know.

Pydantic's schema leaves out the names of enum members, the bounds of decimals and dates, and which class an object came
from. `SchemaReader` keeps these under keys of its own (`x-dsp-...`), which `bare` takes off again. Properties are keyed by
the Python names of the fields; labels are put in their place once the classes are known.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typing_extensions
from pydantic import AliasChoices, AliasPath, BaseModel, TypeAdapter
from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError
from pydantic_core import PydanticSerializationError

from dsp.errors import SignatureError

if TYPE_CHECKING:
    from pydantic import JsonValue
    from pydantic.fields import FieldInfo
    from pydantic_core import CoreSchema

__all__ = [
    "Node",
    "Reading",
    "Side",
    "annotations_of",
    "bare",
    "contains_itself",
    "fields_of",
    "is_list",
    "is_model",
    "is_node",
    "key_of",
    "label_of",
    "members_of",
    "read",
    "references",
]

Node = dict[str, Any]
"""A JSON schema, or a part of one. `Any`: every keyword has a type of its own, and each is checked where it is used."""

Side = Literal["input", "output"]
"""Which way the values go. An alias may differ: inputs are written under it, outputs are read by it."""

CLASS = "x-dsp-class"
MEMBERS = "x-dsp-members"
DECIMAL = "x-dsp-decimal"
BOUNDS = "x-dsp-bounds"
KEYS = "x-dsp-keys"

VALUES = {"default", "examples", "enum", "const", "required", "mapping"}
"""Keywords that hold values, not schemas."""


@dataclasses.dataclass(frozen=True)
class Reading:
    """A schema with the classes that its objects came from."""

    root: Node
    definitions: Mapping[str, Node]
    classes: tuple[type[Any], ...]

    def resolve(self, node: Node) -> Node:
        """The schema itself where `node` only refers to it; what is written beside the reference wins."""
        seen: set[str] = set()
        while isinstance(ref := node.get("$ref"), str) and ref not in seen:
            seen.add(ref)
            beside = {key: value for key, value in node.items() if key != "$ref"}
            node = {**self.definitions[key_of(ref)], **beside}
        return node

    def class_of(self, node: Node) -> type[Any] | None:
        """The class that an object's schema was made from."""
        index = node.get(CLASS)
        return self.classes[index] if isinstance(index, int) else None


def read(annotation: Any, title: str) -> Reading:
    """The schema of a model, or of any type.

    Raises:
        SignatureError: A type that has no JSON schema, or that names a type which is not defined.
    """
    from dsp.signatures.schema_reader import SchemaReader

    reader = SchemaReader(by_alias=False)
    try:
        schema = reader.generate(core_schema_of(annotation), mode="validation")
    except PydanticUndefinedAnnotation as error:
        raise SignatureError(
            f"`{title}` names the type `{error.name}`, which is not defined where dsp can see it: define it before, or call "
            f"`{title}.model_rebuild()` once it is."
        ) from error
    except (PydanticUserError, PydanticSerializationError) as error:
        raise SignatureError(
            f"`{title}` has a field that no prompt can show and no reply can give: {str(error).splitlines()[0]}. Give the field a "
            "type that JSON can say, or leave it out of the model."
        ) from error
    definitions = cast("dict[str, Node]", schema.pop("$defs", {}))
    return Reading(root=schema, definitions=definitions, classes=tuple(reader.classes))


def core_schema_of(annotation: Any) -> CoreSchema:
    """The schema that Pydantic validates with."""
    if is_model(annotation):
        if not annotation.__pydantic_complete__:
            annotation.model_rebuild()
        return annotation.__pydantic_core_schema__
    adapter = TypeAdapter[Any](annotation)
    return adapter.core_schema


def is_model(annotation: Any) -> typing_extensions.TypeIs[type[BaseModel]]:
    """Whether a type is a Pydantic model, a `RootModel` included."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def fields_of(cls: type[Any] | None) -> Mapping[str, FieldInfo]:
    """The Pydantic fields of a model or of a Pydantic dataclass; empty for every other class."""
    found = getattr(cls, "__pydantic_fields__", None)
    return cast("Mapping[str, FieldInfo]", found) if isinstance(found, dict) else {}


def annotations_of(cls: type[Any] | None) -> Mapping[str, Any]:
    """The types of a class' fields, with their `Annotated` metadata."""
    if cls is None:
        return {}
    if fields := fields_of(cls):
        return {name: annotation_of(field) for name, field in fields.items()}
    try:
        return typing_extensions.get_type_hints(cls, include_extras=True)
    except NameError:
        return {}  # types that only their own module can name: Pydantic has resolved them, nobody else needs them


def annotation_of(field: FieldInfo) -> Any:
    """A field's type with its metadata; `FieldInfo` keeps the two apart."""
    metadata = list(field.metadata)
    if field.discriminator is not None:
        from pydantic import Field

        metadata.append(Field(discriminator=field.discriminator))
    return Annotated[(field.annotation, *metadata)] if metadata else field.annotation


def label_of(name: str, field: FieldInfo | None, side: Side) -> str:
    """What a prompt calls a field: inputs by the alias they are written under, outputs by the one they are read by."""
    if field is None:
        return name
    if side == "input":
        return field.serialization_alias or name
    alias: str | AliasPath | AliasChoices | None = field.validation_alias
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    for choice in choices:
        if isinstance(choice, str):
            return choice
        if isinstance(choice, AliasPath) and len(choice.path) == 1 and isinstance(choice.path[0], str):
            return choice.path[0]
    return name


def bare(node: Node) -> dict[str, JsonValue]:
    """A schema without the notes that `SchemaReader` made."""
    return cast("dict[str, JsonValue]", _bare(node))


def _bare(value: Any) -> Any:
    if is_node(value):
        return {key: _bare(inner) for key, inner in value.items() if not key.startswith("x-dsp-")}
    return [_bare(inner) for inner in value] if is_list(value) else value


def references(value: Any) -> Iterator[str]:
    """Keys of the definitions that a part of a schema refers to, in order, repetitions included."""
    if is_list(value):
        for inner in value:
            yield from references(inner)
    elif is_node(value):
        for keyword, inner in value.items():
            if keyword == "$ref" and isinstance(inner, str):
                yield key_of(inner)
            elif keyword not in VALUES:
                yield from references(inner)


def contains_itself(definitions: Mapping[str, Mapping[str, Any]], key: str) -> bool:
    """Whether a definition refers to itself, directly or through others."""
    pending, seen = [key], set[str]()
    while pending:
        for inner in references(dict(definitions[pending.pop()])):
            if inner == key:
                return True
            if inner not in seen:
                seen.add(inner)
                pending.append(inner)
    return False


def key_of(ref: str) -> str:
    """The key in the definitions of a `$ref`."""
    return ref.removeprefix("#/$defs/").replace("~1", "/").replace("~0", "~")


def is_node(value: object) -> typing_extensions.TypeIs[Node]:
    """Whether a part of a schema is an object; its keys are strings then, as in all JSON."""
    return isinstance(value, dict)


def is_list(value: object) -> typing_extensions.TypeIs[list[Any]]:
    """Whether a part of a schema is a list."""
    return isinstance(value, list)


def members_of(annotation: Any) -> tuple[Any, ...] | None:
    """The members of a union, `Annotated` and named aliases looked through; None for anything else."""
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        return members_of(typing.get_args(annotation)[0])
    if isinstance(annotation, typing_extensions.TypeAliasType):
        return members_of(annotation.__value__)
    if origin in (typing.Union, types.UnionType):
        return tuple(member for part in typing.get_args(annotation) for member in (members_of(part) or (part,)))
    return None
