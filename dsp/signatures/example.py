"""One input with the output that is expected for it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError
from typing_extensions import override

from dsp.errors import DemoError
from dsp.signatures.view import title_of

if TYPE_CHECKING:
    from pydantic import JsonValue

__all__ = ["Example"]

I = TypeVar("I", bound=BaseModel)
O = TypeVar("O", bound=BaseModel)
# A static method has type variables of its own: through the class's, pyright sees nothing but unknown types.
X = TypeVar("X", bound=BaseModel)
Y = TypeVar("Y", bound=BaseModel)


def _nothing() -> Mapping[str, JsonValue]:
    return MappingProxyType({})


@dataclass(frozen=True)
class Example(Generic[I, O]):
    """One input with its expected output: a demo, a training row, a test row.

    The example keeps copies of its own, so that what happens later to the objects it was made from does not change it.

    Example:
        >>> class Question(BaseModel):
        ...     text: str
        >>> class Answer(BaseModel):
        ...     text: str
        >>> example = Example(Question(text="2 + 2?"), Answer(text="4"))
        >>> Example.from_json(example.to_json(), Question, Answer) == example
        True
    """

    inputs: I
    expected: O
    metadata: Mapping[str, JsonValue] = field(default_factory=_nothing)
    """Anything else that belongs to the row, such as where it came from. Never shown to a model."""

    def __post_init__(self) -> None:
        for name in ("inputs", "expected"):
            value: object = getattr(self, name)
            if not isinstance(value, BaseModel):
                made = "Example(Question(...), Answer(...))"
                raise DemoError(
                    f"`{name}` of an example is an instance of a Pydantic model, got {value!r}: write `{made}`."
                )
            object.__setattr__(self, name, value.model_copy(deep=True))
        object.__setattr__(self, "metadata", _frozen(self.metadata))

    def to_json(self) -> str:
        """The example as JSON, keyed by the Python names of the fields; `from_json` reads it back.

        Raises:
            DemoError: A value that JSON cannot say.
        """
        try:
            parts = {
                "inputs": _dumped(self.inputs),
                "expected": _dumped(self.expected),
                "metadata": _thawed(self.metadata),
            }
            return json.dumps(parts, ensure_ascii=False)
        except (PydanticSerializationError, ValueError, TypeError) as error:
            raise DemoError(f"this example cannot be written as JSON: {error}") from error

    @staticmethod
    def from_json(text: str, input: type[X], output: type[Y]) -> Example[X, Y]:  # noqa: A002  (api.pyi's word)
        """Reads what `to_json` wrote.

        Raises:
            DemoError: No example of these models.
        """
        try:
            parts = cast("object", json.loads(text))
        except ValueError as error:
            raise DemoError(f"an example is a JSON object, and this is not JSON: {error}.") from error
        if not isinstance(parts, dict) or not {"inputs", "expected"} <= parts.keys():
            raise DemoError('an example is a JSON object with "inputs" and "expected", and may have "metadata".')
        known = cast("dict[str, Any]", parts)
        metadata = known.get("metadata", {})
        if not isinstance(metadata, dict):
            raise DemoError('the "metadata" of an example is a JSON object.')
        return Example(
            inputs=_loaded(known["inputs"], input, "inputs"),
            expected=_loaded(known["expected"], output, "expected"),
            metadata=cast("dict[str, JsonValue]", metadata),
        )

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        # A mapping proxy cannot be pickled.
        return type(self), (self.inputs, self.expected, _thawed(self.metadata))


M = TypeVar("M", bound=BaseModel)


def _dumped(model: BaseModel) -> object:
    # By name, and so that validation gives the same values again: `Json` fields as text, no computed fields.
    return model.model_dump(mode="json", by_alias=False, round_trip=True, warnings="error")


def _loaded(value: object, model: type[M], part: str) -> M:
    adapter: TypeAdapter[M] = TypeAdapter(model)
    try:
        return adapter.validate_json(json.dumps(value), by_alias=False, by_name=True)
    except ValidationError as error:
        raise DemoError(f'the "{part}" of the example are no `{title_of(model)}`: {error}') from error


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return MappingProxyType({key: _frozen(inner) for key, inner in cast("Mapping[str, Any]", value).items()})
    if isinstance(value, list | tuple):
        return tuple(_frozen(inner) for inner in cast("list[Any]", value))
    return value


def _thawed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _thawed(inner) for key, inner in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, tuple):
        return [_thawed(inner) for inner in cast("Sequence[Any]", value)]
    return value
