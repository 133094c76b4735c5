"""Single values brought to the shape of a type, and the account of what was changed.

Form is changed and never meaning: nothing is filled in, nothing is rounded, and where two readings are possible the
value stays as it was, for validation to refuse.
"""

from __future__ import annotations

import re
from fractions import Fraction
from math import isfinite
from typing import TYPE_CHECKING, TypeAlias

from dsp.repair.notes import Written, as_written
from dsp.repair.prose import choose, named, truth_within, written
from dsp.repair.scalars import bare, number, number_within, plain_date, truth
from dsp.repair.shape import BoolShape, ChoiceShape, NumberShape, StringShape, normal

if TYPE_CHECKING:
    from typing import Self

    from pydantic import JsonValue

    from dsp.repair.shape import Shape

__all__ = ["REFUSALS", "WRAPPERS", "Fitting"]

WRAPPERS = frozenset(
    ("output", "outputs", "result", "results", "response", "answer", "data", "value", "json", "object", "final")
)
"""Keys under which models put a whole answer."""
REFUSALS = frozenset(("error", "errors", "message", "refusal", "exception", "warning"))
"""Keys under which they put why there is none."""

DIGITS = re.compile(r"\s*[+-]?\d+(?:\.\d*)?\s*\Z")
"""A count of seconds, and no moment that a person would write."""

Seen: TypeAlias = "dict[tuple[int, int], tuple[JsonValue, JsonValue, Fitting]]"


class Fitting:
    """What one walk over a value finds: its repairs, `misfits`, the places that the type will refuse, and what is `fatal`."""

    repairs: dict[str, int]
    misfits: int
    fatal: list[str]

    def __init__(self, *, partial: bool = False, seen: Seen | None = None) -> None:
        self.repairs = {}
        """What was changed, and what it costs: one for another spelling, more for what might have been meant otherwise."""
        self.misfits = 0
        self.fatal = []
        self.partial = partial
        """Whether the value is the beginning of one: what is missing may come."""
        self.seen: Seen = {} if seen is None else seen
        """What the unions met so far came to, so that unions within unions are tried once each."""

    @property
    def cost(self) -> int:
        """What all changes cost together."""
        return sum(self.repairs.values())

    @property
    def fits(self) -> bool:
        """Whether the value has the shape now."""
        return not self.misfits and not self.fatal

    def align(self, value: JsonValue, shape: Shape, path: str = "") -> JsonValue:
        """The value in the shape, as far as form alone can bring it there."""
        raise NotImplementedError

    def trial(self) -> Self:
        """Another walk, for a reading that may be dropped again."""
        return type(self)(partial=self.partial, seen=self.seen)

    def _note(self, path: str, what: str, cost: int = 1) -> None:
        self.repairs.setdefault(f"{path or 'the value'}: {what}", cost)

    def _misfit(self, value: JsonValue) -> JsonValue:
        self._miss()
        return value

    def _accept(self, trial: Fitting) -> None:
        for what, cost in trial.repairs.items():
            self.repairs.setdefault(what, cost)

    def _miss(self) -> None:
        """Count a place that the type will refuse."""
        self.misfits += 1

    def _count(self, trial: Fitting) -> None:
        """Take what a trial could not fit, too."""
        self.misfits += trial.misfits
        self.fatal += trial.fatal

    def _string(self, value: JsonValue, shape: StringShape, path: str) -> JsonValue:
        if isinstance(value, str):
            if shape.day and (day := plain_date(value)) is not None:
                self._note(path, f"{value!r:.40} read as a date")
                return day
            return self._digits(value, path) if shape.moment and DIGITS.match(value) else value
        if isinstance(value, int | float) and not isinstance(value, bool):
            if shape.text:
                self._note(path, "a number read as text")
                return as_written(value)
            if shape.day and isinstance(value, int) and (day := plain_date(str(value))) is not None:
                self._note(path, f"{value} read as a date")
                return day
            return self._digits(value, path) if shape.moment else value  # seconds of a duration
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
            self._note(path, "taken out of a list of one", 4)
            return self._string(value[0], shape, path)
        return self._misfit(value)

    def _digits(self, value: JsonValue, path: str) -> JsonValue:
        return self._refuse(value, path, f"`{value!s:.40}` is no date or time: write it as in ISO 8601")

    def _refuse(self, value: JsonValue, path: str, why: str) -> JsonValue:
        """A value that validation would take, as another one."""
        self.fatal.append(f"{path or 'the value'}: {why}")
        return self._misfit(value)

    def _number(self, value: JsonValue, shape: NumberShape, path: str) -> JsonValue:
        if isinstance(value, bool):
            return self._refuse(value, path, f"{written(value)} is no number")
        if isinstance(value, int):
            return value
        if isinstance(value, float):
            return self._fraction(value, shape, path)
        if isinstance(value, str):
            read = number(value, whole=shape.whole)
            if read is not None:
                self._note(path, f"{value!r:.40} read as a number")
                return read
            read = number_within(value, whole=shape.whole)
            if read is not None:
                self._note(path, f"the one number in {value!r:.60} taken", 6)
                return read
            return self._misfit(value)
        return self._single(value, shape, path)

    def _fraction(self, value: float, shape: NumberShape, path: str) -> JsonValue:
        text = as_written(value)
        if isinstance(value, Written) and not isfinite(value):
            return self._refuse(value, path, f"`{text:.40}` is too large for a number")
        if not shape.whole:
            return text if shape.exact and isfinite(value) else value
        if not isfinite(value):
            return self._misfit(value)
        exact = Fraction(text)
        if exact.denominator != 1:
            return self._refuse(value, path, f"`{text:.40}` is no whole number")
        return int(exact)

    def _bool(self, value: JsonValue, path: str) -> JsonValue:
        if isinstance(value, bool):
            return value
        if isinstance(value, str):
            said = truth(value)
            if said is None and (said := truth_within(value)) is not None:
                self._note(path, f"{value!r:.60} read as {written(said)}", 6)
            elif said is not None:
                self._note(path, f"{value!r:.40} read as {written(said)}")
            return self._misfit(value) if said is None else said
        return value if value in (0, 1) else self._single(value, BoolShape(), path)

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
        if isinstance(value, dict | list):
            return self._single(value, shape, path)
        text = value if isinstance(value, str) else written(value)
        chosen = choose(text, shape) if len(text) <= 1000 else None
        if chosen is not None:
            self._note(path, f"{text!r:.60} read as {written(chosen[0])!r:.60}")
            return chosen[0]
        within = None if self.partial else named(text, shape)
        if within is None:
            return self._misfit(value)
        self._note(path, f"{text!r:.60} read as {written(within[0])!r:.60}, the one that it names", 6)
        return within[0]

    def _single(self, value: JsonValue, shape: Shape, path: str) -> JsonValue:
        """The scalar in a list of one, or under the only key of an object."""
        inner: JsonValue = None
        if isinstance(value, list) and len(value) == 1:
            inner, where = value[0], "a list of one"
        elif isinstance(value, dict) and len(value) == 1:
            ((key, inner),) = value.items()
            known = normal(key)
            if known in REFUSALS or (known not in WRAPPERS and not isinstance(shape, ChoiceShape)):
                return self._misfit(value)
            where = f"`{key:.60}`"
        else:
            return self._misfit(value)
        if inner is None or isinstance(inner, dict | list):
            return self._misfit(value)
        trial = self.trial()
        read = trial.align(inner, shape, path)
        if not trial.fits or trial.cost > 1:
            return self._misfit(value)
        self._accept(trial)
        self._note(path, f"taken out of {where}", 4)
        return read
