"""Synonyms of the words that a field takes."""

from __future__ import annotations

from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pydantic_core import CoreSchema, core_schema
from typing_extensions import override

from dsp.errors import SignatureError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import GetCoreSchemaHandler

__all__ = ["Aliases"]


class Aliases:
    """Other words for the values of a field, for `Annotated`.

    A synonym is read without regard to case and to spaces around it, and replaced by its value before Pydantic validates.
    The JSON schema and the prompt stay as they are: a model is still asked for the values themselves.

    Example:
        >>> from typing import Annotated, Literal
        >>> from pydantic import TypeAdapter
        >>> Mood = Annotated[Literal["positive", "negative"], Aliases({"pos": "positive", "neg": "negative"})]
        >>> TypeAdapter(Mood).validate_python(" POS ")
        'positive'
    """

    __slots__ = ("_folded", "_names")

    _names: Mapping[str, str]
    _folded: Mapping[str, str]

    def __init__(self, names: Mapping[str, str]) -> None:
        """`names` maps each synonym to the value that it stands for.

        Raises:
            SignatureError: No synonyms, an empty one, or one that stands for two values.
        """
        folded: dict[str, str] = {}
        for synonym, value in names.items():
            key = _fold(synonym)
            if not key:
                raise SignatureError(f"an empty synonym for {value!r}: every synonym needs a word.")
            if folded.setdefault(key, value) != value:
                raise SignatureError(
                    f"the synonym {synonym!r} stands for {folded[key]!r} and for {value!r} (case does not count): keep one of them."
                )
        if not folded:
            raise SignatureError('no synonyms: write for example `Aliases({"pos": "positive"})`.')
        object.__setattr__(self, "_names", MappingProxyType(dict(names)))
        object.__setattr__(self, "_folded", MappingProxyType(folded))

    @property
    def names(self) -> Mapping[str, str]:
        """Each synonym, as it was given, with the value that it stands for."""
        return self._names

    def resolve(self, value: object) -> object:
        """The value that a synonym stands for; anything else as it is."""
        return (
            self._folded.get(_fold(value), value) if isinstance(value, str) and not isinstance(value, Enum) else value
        )

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        allowed = _allowed(handler.resolve_ref_schema(schema))
        if allowed is not None:
            for synonym, value in self._names.items():
                if value not in allowed:
                    options = ", ".join(repr(one) for one in sorted(allowed, key=repr))
                    raise SignatureError(
                        f"the synonym {synonym!r} stands for {value!r}, which the field does not take: use one of {options}."
                    )

            def canonical(value: object) -> object:
                # A member is never a synonym of another one.
                return value if isinstance(value, str) and value in allowed else self.resolve(value)

            return core_schema.no_info_before_validator_function(canonical, schema)
        return core_schema.no_info_before_validator_function(self.resolve, schema)

    @override
    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"`Aliases` cannot be changed: make a new one instead of setting `{name}`.")

    @override
    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"`Aliases` cannot be changed: `{name}` stays.")

    @override
    def __eq__(self, other: object) -> bool:
        return self._names == other._names if isinstance(other, Aliases) else NotImplemented

    @override
    def __hash__(self) -> int:
        return hash(frozenset(self._names.items()))

    @override
    def __repr__(self) -> str:
        return f"Aliases({dict(self._names)!r})"

    @override
    def __reduce__(self) -> tuple[type[Aliases], tuple[dict[str, str]]]:
        return Aliases, (dict(self._names),)


def _fold(text: str) -> str:
    return text.strip().casefold()


def _allowed(schema: Any) -> frozenset[object] | None:
    """The values that a schema takes; None where they are not a list of values."""
    kind = schema["type"]
    if kind == "literal":
        return frozenset(one.value if isinstance(one, Enum) else one for one in schema["expected"])
    if kind == "enum":
        return frozenset(member.value for member in schema["members"])
    if kind in {"nullable", "default"} or (kind.startswith("function-") and "schema" in schema):
        return _allowed(schema["schema"])
    if kind == "union":
        choices: list[Any] = [one[0] if isinstance(one, tuple) else one for one in schema["choices"]]
        parts = [None if one["type"] in _NO_WORDS else _allowed(one) for one in choices if one["type"] != "none"]
        known = [part for part in parts if part is not None]
        return frozenset[object]().union(*known) if len(known) == len(parts) else None
    if kind in _NO_WORDS:
        raise SignatureError(
            "`Aliases` names synonyms of single values: put it on the items, as in `list[Annotated[Mood, Aliases({...})]]`."
        )
    return None


_NO_WORDS = {"list", "set", "frozenset", "tuple", "dict", "model", "dataclass", "typed-dict", "int", "float", "bool"}
