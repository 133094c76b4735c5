"""A JSON value brought to the shape of a type: keys, choices, words for booleans, numbers in text.

It changes form and never meaning: nothing is filled in, nothing is rounded, and where two readings are possible the
value stays as it was, for validation to refuse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from dsp.repair.fitting import REFUSALS, WRAPPERS, Fitting
from dsp.repair.notes import Budget, Notes, SyntaxFault
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
from dsp.repair.syntax import Reader, skip

if TYPE_CHECKING:
    from pydantic import JsonValue

    from dsp.repair.shape import Shape

__all__ = ["Aligner"]

LONGEST_INNER = 1_000_000
"""No longer string is looked into for JSON."""


class Aligner(Fitting):
    """One walk over a value and all that is in it."""

    @override
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

    def _list(self, value: JsonValue, shape: ListShape, path: str) -> JsonValue:
        value = self._decoded(value, path, "[(")
        if isinstance(value, dict) and len(value) == 1:
            ((key, inner),) = value.items()
            if isinstance(inner, list) and normal(key) not in REFUSALS and not self._takes(shape.items[-1:], key):
                trial = self.trial()
                found = trial.align(inner, shape, path)
                if trial.fits:
                    self._accept(trial)
                    self._note(path, f"taken out of `{key:.60}`", 1 if normal(key) in WRAPPERS else 3)
                    return found
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
        trial = self.trial()
        item = trial.align(value, shape.items[-1], f"{path}[]")
        if not trial.fits or isinstance(shape.items[-1], AnyShape):
            return self._misfit(value)
        self._accept(trial)
        self._note(path, "one item read as a list of one", 3)
        return [item]

    @staticmethod
    def _takes(items: tuple[Shape, ...], key: str) -> bool:
        """Whether an item of a list may itself have a key of this name."""
        shape = items[0] if items else AnyShape()
        if isinstance(shape, LinkShape):
            shape = shape.target
        arms = shape.arms if isinstance(shape, UnionShape) else (shape,)
        for arm in arms:
            if isinstance(arm, OpenShape | AnyShape | LinkShape):
                return True
            if isinstance(arm, ObjectShape) and (normal(key) in arm.by_normal or key in arm.by_name):
                return True
        return False

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
        if isinstance(value, list):
            return self._out_of_list(value, shape, path)
        if not isinstance(value, dict):
            return self._misfit(value)
        inner = self._unwrapped(value, shape)
        if inner is not None:
            trial = self.trial()
            item = trial.align(inner, shape, path)
            if trial.fits:
                self._accept(trial)
                self._note(path, f"taken out of `{next(iter(value))}`")
                return item
        keys = self._keys(value, shape)
        if value and shape.fields and not any(keys.values()) and not shape.open:
            implied = self._implied(value, shape, path)
            if implied is not None:
                return implied
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
                    self._note(where, "unknown key dropped", 2)
                continue
            name = key if key in target.names else target.key
            if name in found:
                return self._misfit(value)
            if name != key:
                self._note(where, f"key `{key:.60}` read as `{name}`")
            found[name] = self.align(one, target.shape, where)
        for wanted in shape.fields:
            if wanted.required and not self.partial and not any(name in found for name in wanted.names):
                self._miss()
        return found

    def _out_of_list(self, value: list[JsonValue], shape: ObjectShape, path: str) -> JsonValue:
        """The object in a list of one; or the object whose only field the list is."""
        if len(value) == 1 and isinstance(value[0], dict):
            trial = self.trial()
            item = trial.align(value[0], shape, path)
            if trial.fits:
                self._accept(trial)
                self._note(path, "taken out of a list of one", 3)
                return item
        if len(shape.fields) == 1 and value and isinstance(shape.fields[0].shape, ListShape):
            implied = self._implied(value, shape, path)
            if implied is not None:
                return implied
        return self._misfit(value)

    def _implied(self, value: JsonValue, shape: ObjectShape, path: str) -> JsonValue:
        """An object with one field, where only what the field holds was written; None where that cannot be."""
        if len(shape.fields) != 1 or shape.open or not value:
            return None
        (only,) = shape.fields
        trial = self.trial()
        item = trial.align(value, only.shape, f"{path}.{only.key}" if path else only.key)
        if not trial.fits or trial.cost > 3 or isinstance(only.shape, AnyShape | OpenShape):
            return None
        self._accept(trial)
        self._note(path, f"read as what `{only.key}` holds", 4)
        return {only.key: item}

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
        if not isinstance(value, str) or len(value) > LONGEST_INNER:
            return value
        text = value.strip()
        if not text or text[0] not in opening:
            return value
        notes = Notes()
        try:
            reader = Reader(text, Budget(100_000), notes)
            inner, end = reader.read(0)
            if skip(text, end, notes) < len(text) or reader.cut:
                return value
        except SyntaxFault:
            return value
        self._note(path, "JSON within a string read", 1 + notes.cost)
        return inner

    def _union(self, value: JsonValue, shape: UnionShape, path: str) -> JsonValue:
        key = (id(value), id(shape))
        if isinstance(value, dict | list) and key in self.seen:
            _, known, trial = self.seen[key]
            return self._taken(known, trial)
        best: list[tuple[JsonValue, Fitting]] = []
        fatal: dict[str, None] = {}
        for arm in shape.arms:
            trial = self.trial()
            aligned = trial.align(value, arm, path)
            if not trial.fits:
                fatal.update(dict.fromkeys(trial.fatal))
                continue
            if not trial.repairs:
                best = [(aligned, trial)]
                break
            best.append((aligned, trial))
        if best:
            least = min(trial.cost for _, trial in best)
            best = [one for one in best if one[1].cost == least]
        if not best or any(other[0] != best[0][0] for other in best[1:]):
            trial = self.trial()
            trial.misfits = 1
            if not best:
                trial.fatal = list(fatal)  # no arm fits, and one would fit only by leaving out what was said
            best = [(value, trial)]
        if isinstance(value, dict | list):
            self.seen[key] = (value, *best[0])  # the value too, so that no other object gets its identity
        return self._taken(*best[0])

    def _taken(self, value: JsonValue, trial: Fitting) -> JsonValue:
        self._accept(trial)
        self._count(trial)
        return value
