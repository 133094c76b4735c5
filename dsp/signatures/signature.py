"""What a program promises: an input model, an output model, and the words that say what to do."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast
from weakref import WeakValueDictionary

from pydantic import BaseModel
from typing_extensions import override

from dsp.errors import DemoError, SignatureError
from dsp.signatures.example import Example
from dsp.signatures.reading import Side, members_of
from dsp.signatures.strict import OutputSchema, strict_schema
from dsp.signatures.values import Dumper, Loader
from dsp.signatures.view import ModelView, docstring_of, single_field, title_of, view_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

    from dsp.signatures.field import SignatureField, TypeDefinition

__all__ = ["Signature"]

I = TypeVar("I", bound=BaseModel)
O = TypeVar("O", bound=BaseModel)
# A static method has type variables of its own: through the class's, pyright sees nothing but unknown types.
X = TypeVar("X", bound=BaseModel)
Y = TypeVar("Y", bound=BaseModel)


class _Prepared:
    """One model on one side, read once; lives as long as a signature that uses it."""

    def __init__(self, annotation: Any, side: Side) -> None:
        self.annotation = annotation
        self.view: ModelView = view_of(annotation, side)
        self.validators = _validators(annotation)
        self.dumper: Dumper[Any] = Dumper(annotation, self.view.fields, side)
        self.loader: Loader[Any] = Loader(annotation, frozenset())


# Values are weak and the keys hold numbers, so that no model is kept alive. A number cannot be used again for another
# model while its entry is there: the entry holds the model.
_prepared: WeakValueDictionary[tuple[Any, ...], _Prepared] = WeakValueDictionary()


def _prepare(annotation: Any, side: Side) -> _Prepared:
    key = (side, *(id(part) for part in _identity(annotation)))
    found = _prepared.get(key)
    if found is None or any(a is not b for a, b in zip(found.validators, _validators(annotation), strict=True)):
        found = _Prepared(annotation, side)  # new, or the model was rebuilt
        _prepared[key] = found
    return found


def _identity(annotation: Any) -> tuple[Any, ...]:
    """What makes two models the same: a class itself, the members of a plain union in their order."""
    members = members_of(annotation)
    return (annotation,) if members is None or hasattr(annotation, "__metadata__") else members


def _validators(annotation: Any) -> tuple[Any, ...]:
    return tuple(one.__pydantic_validator__ for one in members_of(annotation) or (annotation,))


@dataclass(frozen=True, eq=False, repr=False)
class Signature(Generic[I, O]):
    """What goes in, what comes out, and what to do; an immutable value. Made by `Signature.of`.

    Two signatures are equal when they have the same models, instructions, name and leading fields.

    Example:
        >>> class Question(BaseModel):
        ...     text: str
        >>> class Answer(BaseModel):
        ...     text: str
        ...     sure: bool
        >>> signature = Signature.of(Question, Answer, "Answer the question.")
        >>> [(field.label, field.type_text) for field in signature.output_fields]
        [('text', 'string'), ('sure', 'true or false')]
    """

    input: type[I]
    """The input model."""
    output: type[O]
    """The output model."""
    instructions: str
    """What to do, as the prompt says it."""
    name: str
    """What the signature is called in messages and in providers' schemas."""
    input_fields: tuple[SignatureField, ...]
    """What a prompt shows of the input."""
    output_fields: tuple[SignatureField, ...]
    """What a prompt asks for, the leading fields first."""
    leading_fields: tuple[SignatureField, ...]
    """Fields that a reply gives before the output's own, such as a reasoning; never part of the output."""
    input_is_object: bool
    """False for a `RootModel` or a union: then the one input field is called `input`."""
    output_is_object: bool
    """False for a `RootModel` or a union: then the one field of the output is called `output`."""
    input_definitions: tuple[TypeDefinition, ...]
    """Nested types that the input fields name."""
    output_definitions: tuple[TypeDefinition, ...]
    """Nested types that the output fields name."""
    _input: _Prepared
    _output: _Prepared
    _leading: tuple[ModelView, ...]
    _loader: Loader[O]

    @staticmethod
    def of(
        input: type[X],  # noqa: A002  (api.pyi's word)
        output: type[Y],
        instructions: str | None = None,
        *,
        name: str | None = None,
    ) -> Signature[X, Y]:
        """The signature of two models.

        Without `instructions`, the docstring of the output model says what to do; without that, a sentence made of the fields.

        Raises:
            SignatureError: Something that is no Pydantic model, or a field whose type JSON cannot say.
        """
        for side, model in (("input", input), ("output", output)):
            _check_model(side, model)
        inputs, outputs = _prepare(input, "input"), _prepare(output, "output")
        return Signature(
            input=input,
            output=output,
            instructions=instructions if instructions is not None else _instructions(output, inputs.view, outputs.view),
            name=name if name is not None else f"{title_of(input)} -> {title_of(output)}",
            input_fields=inputs.view.fields,
            output_fields=outputs.view.fields,
            leading_fields=(),
            input_is_object=inputs.view.is_object,
            output_is_object=outputs.view.is_object,
            input_definitions=inputs.view.definitions,
            output_definitions=outputs.view.definitions,
            _input=inputs,
            _output=outputs,
            _leading=(),
            _loader=outputs.loader,
        )

    def with_instructions(self, instructions: str) -> Signature[I, O]:
        """The same signature with other words."""
        return replace(self, instructions=instructions)

    def leading(self, name: str, annotation: Any, description: str) -> Signature[I, O]:
        """The same signature with a field put before the others: a reply gives it, and the output never holds it.

        `annotation` is any type. (`Any`, because unions and `Annotated` are no `type`.)

        Raises:
            SignatureError: The output has a field of that name, or JSON cannot say the type.
        """
        for own in self.output_fields:
            if name in {own.name, own.label}:
                raise SignatureError(
                    f"`{title_of(self.output)}` has a field `{name}` of its own: use that one, or put another name before it."
                )
        field, view = single_field(name, annotation, description)
        leading_fields = (*self.leading_fields, field)
        names = {definition.name for definition in self.output_definitions}
        more = tuple(definition for definition in view.definitions if definition.name not in names)
        return replace(
            self,
            output_fields=(*leading_fields, *self._output.view.fields),
            leading_fields=leading_fields,
            output_definitions=(*self.output_definitions, *more),
            _leading=(*self._leading, view),
            _loader=Loader(self.output, frozenset(one.label for one in leading_fields)),
        )

    def json_schema(self) -> OutputSchema:
        """The JSON schema of a reply: a closed object, all keys required, the leading fields first."""
        return self._schema

    @cached_property
    def _schema(self) -> OutputSchema:
        view = self._output.view
        properties: dict[str, Mapping[str, JsonValue]] = {}
        definitions: dict[str, Mapping[str, JsonValue]] = {}
        for field, leading in zip(self.leading_fields, self._leading, strict=True):
            properties[field.label] = {**leading.root, "description": field.description}
            definitions.update(leading.nested)
        definitions.update(view.nested)
        required = list(properties)
        if not view.is_object:
            properties["output"] = {**view.root}
            required.append("output")
            return strict_schema(properties, required, definitions)
        properties.update(cast("dict[str, Mapping[str, JsonValue]]", view.root.get("properties", {})))
        required += cast("list[str]", view.root.get("required", []))
        extra = view.root.get("additionalProperties", False)
        return strict_schema(properties, required, definitions, open_object=extra is not False)

    @cached_property
    def fingerprint(self) -> str:
        """A digest of fields, types and descriptions: what saved demos have to fit. Instructions are not part of it."""
        parts = {
            "input": [_described(field) for field in self.input_fields],
            "output": [_described(field) for field in self.output_fields],
            "input_definitions": [_defined(one) for one in self.input_definitions],
            "output_definitions": [_defined(one) for one in self.output_definitions],
            "objects": [self.input_is_object, self.output_is_object],
            "leading": [field.name for field in self.leading_fields],
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def dump_inputs(self, inputs: I) -> dict[str, JsonValue]:
        """An input as JSON values, by label: the declared model's fields only.

        Raises:
            InputError: No instance of the input model, or a value that does not fit its field.
        """
        return self._input.dumper.dump(inputs)

    def dump_output(self, output: O) -> dict[str, JsonValue]:
        """An output as JSON values, by label, as a demo shows it.

        Raises:
            InputError: No instance of the output model, or a value that does not fit its field.
        """
        return self._output.dumper.dump(output)

    def validate_output(self, values: Mapping[str, JsonValue] | str) -> O:
        """The output that a reply says: a mapping by label or name, or the JSON text of one.

        Leading fields and keys that the model does not know are left out.

        Raises:
            ValidationError: Pydantic's own, where the values do not fit.
        """
        return self._loader.load(values)

    def check_demo(self, demo: object) -> None:
        """Whether `demo` is an example of these models.

        Raises:
            DemoError: It is not.
        """
        shown = demo
        wanted = f"Example[{title_of(self.input)}, {title_of(self.output)}]"
        if not isinstance(demo, Example):
            raise DemoError(f"a demo of `{self.name}` is an `{wanted}`, got {demo!r}: write `Example({_made(self)})`.")
        for part, model in (("inputs", self.input), ("expected", self.output)):
            value: object = getattr(shown, part)
            if not isinstance(value, members_of(model) or (model,)):
                raise DemoError(
                    f"a demo of `{self.name}` is an `{wanted}`; the `{part}` of this one are a `{type(value).__name__}`: "
                    f"write `Example({_made(self)})`."
                )

    def _key(self) -> tuple[Any, ...]:
        return (
            *(id(part) for part in _identity(self.input)),
            "->",
            *(id(part) for part in _identity(self.output)),
            self.instructions,
            self.name,
            tuple((field.name, field.type_text, field.description) for field in self.leading_fields),
        )

    @override
    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Signature) else NotImplemented

    @override
    def __hash__(self) -> int:
        return hash(self._key())

    @override
    def __repr__(self) -> str:
        return f"Signature.of({title_of(self.input)}, {title_of(self.output)}, {self.instructions!r})"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        leading = tuple((field.name, field.annotation, field.description) for field in self.leading_fields)
        return _restored, (self.input, self.output, self.instructions, self.name, leading)


def _restored(
    input: Any,  # noqa: A002
    output: Any,
    instructions: str,
    name: str,
    leading: tuple[tuple[str, Any, str], ...],
) -> Signature[Any, Any]:
    signature = Signature[Any, Any].of(input, output, instructions, name=name)
    for field in leading:
        signature = signature.leading(*field)
    return signature


def _check_model(side: str, model: object) -> None:
    for member in members_of(model) or (model,):
        if isinstance(member, type) and issubclass(member, BaseModel) and member is not BaseModel:
            continue
        if isinstance(member, BaseModel):
            advice = f"pass the class: `{type(member).__name__}`."
        elif isinstance(member, TypeVar):
            advice = "pass a concrete model: a type variable has no fields."
        else:
            advice = f"write `class {side.title()}(BaseModel): ...`, or `RootModel[{title_of(member)}]` for a value without fields."
        raise SignatureError(
            f"the {side} of a signature is a Pydantic model, a `RootModel` or a union of them, got {member!r}: {advice}"
        )


def _instructions(output: Any, inputs: ModelView, outputs: ModelView) -> str:
    if own := docstring_of(output):
        return own
    given, wanted = _listed(inputs.fields), _listed(outputs.fields)
    if not wanted:
        return f"Read {given}." if given else "Answer."
    return f"Given {given}, write {wanted}." if given else f"Write {wanted}."


def _listed(fields: tuple[SignatureField, ...]) -> str:
    labels = [f"`{field.label}`" for field in fields]
    return " and ".join([", ".join(labels[:-1]), labels[-1]]) if len(labels) > 1 else "".join(labels)


def _described(field: SignatureField) -> list[JsonValue]:
    default = [field.default] if field.has_default else []
    return [field.name, field.label, field.type_text, field.description, field.required, cast("JsonValue", default)]


def _defined(definition: TypeDefinition) -> list[JsonValue]:
    fields: list[JsonValue] = [cast("JsonValue", _described(field)) for field in definition.fields]
    return [definition.name, definition.description, definition.type_text, fields]


def _made(signature: Signature[Any, Any]) -> str:
    return f"{title_of(signature.input)}(...), {title_of(signature.output)}(...)"
