"""A JSON value brought to the shape of a type: keys, choices, words for booleans, numbers in text.

It changes form and never meaning: nothing is filled in, nothing is rounded, and where two readings are possible the
value stays as it was, for validation to refuse.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dsp.repair.candidate import strict
from dsp.repair.shape import (
    AnyShape,
    BoolShape,
    ChoiceShape,
    LinkShape,
    ListShape,
    MemberField,
    NumberShape,
    ObjectShape,
    OpenShape,
    StringShape,
    UnionShape,
    normal,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import JsonValue

    from dsp.repair.shape import Shape

__all__ = ["Aligner", "choose"]

YES = frozenset(("true", "yes", "y"))
NO = frozenset(("false", "no", "n"))
GROUPED = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?\Z")
PLAIN = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\Z")
WHOLE = re.compile(r"([+-]?\d+)(?:\.0+)?\Z")
QUOTES = "\"'`\u201c\u201d\u2018\u2019*"
WRAPPERS = frozenset(("output", "outputs"))


def bare(text: str) -> str:
    """A word without the quotes around it and the full stop after it."""
    text = text.strip()
    if len(text) > 1 and text.endswith(".") and not text.endswith(".."):
        text = text[:-1]
    return text.strip(QUOTES + " \t\r\n")


def choose(text: str, shape: ChoiceShape) -> tuple[JsonValue, bool] | None:
    """The one member that a text names, and whether it is named exactly; None when none is, or more than one."""
    for member in shape.members:
        if member.value == text and isinstance(member.value, str):
            return member.value, True
    word = bare(text)
    lower, plain = word.casefold(), normal(word)
    spellings: tuple[Callable[[str], bool], ...] = (
        lambda name: name == word,
        lambda name: name.casefold() == lower,
        lambda name: normal(name) == plain,
    )
    for spells in spellings:
        found = [one for one in shape.members if spells(_written(one.value))]
        found = found or [one for one in shape.members if any(spells(name) for name in one.names)]
        if found:
            return (found[0].value, False) if len(found) == 1 else None
    return None


def _written(value: JsonValue) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


class Aligner:
    """One walk over a value. `misfits` counts the places that the type will refuse; `fatal` says what must not pass."""

    repairs: dict[str, None]
    misfits: int
    fatal: list[str]

    def __init__(self) -> None:
        self.repairs = {}
        self.misfits = 0
        self.fatal = []
        self._seen: dict[tuple[int, int], tuple[JsonValue, JsonValue, Aligner]] = {}

    def align(self, value: JsonValue, shape: Shape, path: str = "") -> JsonValue:
        """The value in the shape, as far as form alone can bring it there."""
        if isinstance(shape, LinkShape):
            shape = shape.target
        if isinstance(shape, AnyShape | LinkShape):
            return value
        if isinstance(shape, ObjectShape):
            return self._object(value, shape, path)
        if isinstance(shape, ListShape):
            return self._list(value, shape, path)
        if isinstance(shape, OpenShape):
            return self._open(value, shape, path)
        if isinstance(shape, UnionShape):
            return self._union(value, shape, path)
        if isinstance(shape, ChoiceShape):
            return self._choice(value, shape, path)
        if isinstance(shape, StringShape):
            return self._string(value, shape, path)
        if isinstance(shape, NumberShape):
            return self._number(value, shape, path)
        if isinstance(shape, BoolShape):
            return self._bool(value, path)
        return self._null(value, path)

    def _note(self, path: str, what: str) -> None:
        self.repairs[f"{path or 'the value'}: {what}"] = None

    def _misfit(self, value: JsonValue) -> JsonValue:
        self.misfits += 1
        return value

    # ------------------------------------------------------------------ scalars
    def _string(self, value: JsonValue, shape: StringShape, path: str) -> JsonValue:
        if isinstance(value, str):
            return value
        if shape.text and isinstance(value, int | float) and not isinstance(value, bool):
            self._note(path, "a number read as text")
            return str(value)
        if not shape.text and isinstance(value, int | float) and not isinstance(value, bool):
            return value  # a timestamp, or seconds: validation knows
        return self._misfit(value)

    def _number(self, value: JsonValue, shape: NumberShape, path: str) -> JsonValue:
        if isinstance(value, bool):
            return self._misfit(value)
        if isinstance(value, int):
            return value
        if isinstance(value, float):
            return self._misfit(value) if shape.whole and not value.is_integer() else value
        if not isinstance(value, str):
            return self._misfit(value)
        text = value.strip()
        if len(text) > 400:
            return self._misfit(value)
        if GROUPED.match(text):
            text = text.replace(",", "")
        elif not PLAIN.match(text):
            return self._misfit(value)
        if shape.whole:
            matched = WHOLE.match(text)
            if matched is None:
                return self._misfit(value)
            self._note(path, f"{value!r:.40} read as a number")
            return int(matched[1])
        self._note(path, f"{value!r:.40} read as a number")
        return text  # a Decimal keeps its digits, and a float reads them

    def _bool(self, value: JsonValue, path: str) -> JsonValue:
        if isinstance(value, bool):
            return value
        if isinstance(value, str):
            word = bare(value).casefold()
            if word in YES or word in NO:
                self._note(path, f"{value!r:.40} read as {'true' if word in YES else 'false'}")
                return word in YES
        return value if value in (0, 1) else self._misfit(value)

    def _null(self, value: JsonValue, path: str) -> JsonValue:
        if value is None:
            return None
        if isinstance(value, str) and bare(value) in ("null", "None", "none", "Null", "NULL"):
            self._note(path, f"{value!r} read as null")
            return None
        return self._misfit(value)

    def _choice(self, value: JsonValue, shape: ChoiceShape, path: str) -> JsonValue:
        for one in shape.members:
            if one.value == value and isinstance(one.value, bool) == isinstance(value, bool):
                return value
        if isinstance(value, bool | int | float):
            value = _written(value)
        if not isinstance(value, str) or len(value) > 1000:
            return self._misfit(value)
        chosen = choose(value, shape)
        if chosen is None:
            return self._misfit(value)
        self._note(path, f"{value!r:.60} read as {_written(chosen[0])!r:.60}")
        return chosen[0]

    # ------------------------------------------------------------------ containers
    def _list(self, value: JsonValue, shape: ListShape, path: str) -> JsonValue:
        value = self._decoded(value, path, "[")
        if isinstance(value, dict) and len(value) == 1:
            (inner,) = value.values()
            if normal(next(iter(value))) in WRAPPERS and isinstance(inner, list):
                self._note(path, f"taken out of `{next(iter(value))}`")
                value = inner
        if not isinstance(value, list):
            return self._list_of_one(value, shape, path)
        if shape.fixed and len(value) != len(shape.items):
            return self._misfit(value)
        last = len(shape.items) - 1
        if last < 0:
            return value
        # The path names the list, not the place in it: a thousand items mended alike are one line.
        return [self.align(item, shape.items[min(index, last)], f"{path}[]") for index, item in enumerate(value)]

    def _list_of_one(self, value: JsonValue, shape: ListShape, path: str) -> JsonValue:
        if shape.fixed or value is None or (isinstance(value, str) and (not value.strip() or set(value) & set(",;\n"))):
            return self._misfit(value)  # several values in one string are not ours to cut apart
        trial = Aligner()
        item = trial.align(value, shape.items[-1], f"{path}[]")
        if trial.misfits or trial.fatal or isinstance(shape.items[-1], AnyShape):
            return self._misfit(value)
        self.repairs |= trial.repairs
        self._note(path, "one item read as a list of one")
        return [item]

    def _open(self, value: JsonValue, shape: OpenShape, path: str) -> JsonValue:
        value = self._decoded(value, path, "{")
        if not isinstance(value, dict):
            return self._misfit(value)
        found: dict[str, JsonValue] = {}
        for key, one in value.items():
            aligned = self.align(key, shape.keys, f"{path} key") if isinstance(shape.keys, ChoiceShape) else key
            if not isinstance(aligned, str) or aligned in found:
                aligned = key
            found[aligned] = self.align(one, shape.values, f"{path}.*")
        return found

    def _object(self, value: JsonValue, shape: ObjectShape, path: str) -> JsonValue:
        value = self._decoded(value, path, "{")
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
            trial = Aligner()
            item = trial.align(value[0], shape, path)
            if not trial.misfits and not trial.fatal:
                self.repairs |= trial.repairs
                self._note(path, "taken out of a list of one")
                return item
        if not isinstance(value, dict):
            return self._misfit(value)
        inner = self._unwrapped(value, shape)
        if inner is not None:
            trial = Aligner()
            item = trial.align(inner, shape, path)
            if not trial.misfits and not trial.fatal:
                self.repairs |= trial.repairs
                self._note(path, f"taken out of `{next(iter(value))}`")
                return item
        keys = self._keys(value, shape)
        if value and shape.fields and not any(keys.values()) and not shape.open:
            if inner is not None:
                self._note(path, f"taken out of `{next(iter(value))}`")
                return self._object(inner, shape, path)
            names = ", ".join(f"`{one.key}`" for one in shape.fields)
            got = ", ".join(f"`{key:.40}`" for key in list(value)[:8])
            self.fatal.append(f"{path or 'the object'} has none of the keys {names}, only {got}")
            return self._misfit(value)
        found: dict[str, JsonValue] = {}
        for key, one in value.items():
            target = keys[key]
            where = f"{path}.{target.key if target else key}" if path else (target.key if target else key)
            if target is None:
                if shape.open:
                    found[key] = one
                else:
                    self._note(where, "unknown key dropped")
                continue
            name = key if key in target.names else target.key
            if name in found:
                return self._misfit(value)
            if name != key:
                self._note(where, f"key `{key:.60}` read as `{name}`")
            found[name] = self.align(one, target.shape, where)
        for wanted in shape.fields:
            if wanted.required and not any(name in found for name in wanted.names):
                self.misfits += 1
        return found

    def _keys(self, value: dict[str, JsonValue], shape: ObjectShape) -> dict[str, MemberField | None]:
        """Which field each key means: exactly, or but for case, spaces and underscores where only one can be meant."""
        exact = {key: shape.by_name.get(key) for key in value}
        taken = {id(one) for one in exact.values() if one is not None}
        loose: dict[int, list[str]] = {}
        for key, one in exact.items():
            if one is None:
                near = [other for other in shape.by_normal.get(normal(key), ()) if id(other) not in taken]
                if len(near) == 1:
                    exact[key] = near[0]
                    loose.setdefault(id(near[0]), []).append(key)
        for keys in loose.values():
            if len(keys) > 1 and any(value[key] != value[keys[0]] for key in keys):
                one = exact[keys[0]]
                name = one.key if one is not None else keys[0]
                self.fatal.append(f"`{name}` has two values, as {' and '.join(f'`{key:.40}`' for key in keys[:3])}")
            for key in keys[1:]:
                exact[key] = None
        return exact

    def _unwrapped(self, value: dict[str, JsonValue], shape: ObjectShape) -> dict[str, JsonValue] | None:
        """What a wrapper called `output`, or like the model, holds; None where a field has just that name."""
        if len(value) != 1:
            return None
        ((key, inner),) = value.items()
        if key in shape.by_name:
            return None
        known = normal(key)
        if isinstance(inner, dict) and inner and (known in WRAPPERS or known == normal(shape.name)):
            return inner
        return None

    def _decoded(self, value: JsonValue, path: str, opening: str) -> JsonValue:
        """The value of a string that holds JSON where an object or array belongs."""
        if isinstance(value, str) and value.lstrip().startswith(opening):
            try:
                inner = strict(value)
            except ValueError:
                return value
            self._note(path, "JSON within a string read")
            return inner
        return value

    def _union(self, value: JsonValue, shape: UnionShape, path: str) -> JsonValue:
        key = (id(value), id(shape))
        if isinstance(value, dict | list) and key in self._seen:
            _, known, trial = self._seen[key]
            return self._taken(known, trial)
        best: list[tuple[JsonValue, Aligner]] = []
        for arm in shape.arms:
            trial = Aligner()
            trial._seen = self._seen
            aligned = trial.align(value, arm, path)
            if not trial.misfits and not trial.fatal:
                if not trial.repairs:
                    best = [(aligned, trial)]
                    break
                best.append((aligned, trial))
        if not best or any(other[0] != best[0][0] for other in best[1:]):
            trial = Aligner()
            trial.misfits = 1
            best = [(value, trial)]
        if isinstance(value, dict | list):
            self._seen[key] = (value, *best[0])  # the value too, so that no other object gets its identity
        return self._taken(*best[0])

    def _taken(self, value: JsonValue, trial: Aligner) -> JsonValue:
        self.repairs |= trial.repairs
        self.misfits += trial.misfits
        return value
