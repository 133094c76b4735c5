"""A value for a field when examples show some: what the nearest of them say, weighed by how near they are."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from dsp.lm.backends.embedded.copying import copied
from dsp.lm.backends.embedded.fitting import fitting
from dsp.lm.backends.embedded.guess import Guesser
from dsp.lm.backends.embedded.source import Source, text_of
from dsp.lm.backends.embedded.words import numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import JsonValue

    from dsp.lm.backends.embedded.field import Demo, Field
    from dsp.lm.backends.embedded.reading import Layout

__all__ = ["Case", "Learner", "Nearest"]

VOTERS = 10
"""How many of the nearest examples vote."""
POWER = 3
"""How much more a nearer example says than a farther one."""
PRIOR = 0.3
"""What the words of an option itself may add to its share of the votes."""
SAME = 0.999
"""From this similarity on an example is the question."""
CLOSE = 0.5
"""From this similarity on a text that was written for an example is repeated."""
MOSTLY = 0.6
"""From this share of the examples on something is taken for the rule."""
DEPTH = 8


class Nearest(Protocol):
    """What is used of `nearest.Index`."""

    def similarities(self, text: str) -> list[float]:
        """For each text of the index, how near it is."""
        ...


@dataclass(frozen=True, slots=True)
class Case:
    """What one example says about one field."""

    near: float
    text: str
    """The example's input."""
    value: JsonValue


class Learner:
    """Answers the questions that come behind one set of examples."""

    def __init__(self, layout: Layout, demos: Sequence[Demo]) -> None:
        self._layout = layout
        self._demos = tuple(demos)
        self._texts = [text_of(demo.inputs) for demo in demos]
        self._index: Nearest | None = _index(self._texts) if demos else None

    def answer(self, values: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """A value for each output field."""
        layout = self._layout
        guesser = Guesser(Source(values, layout.inputs), layout.definitions, layout.instructions, layout.aliases)
        near = self._index.similarities(text_of(values)) if self._index is not None else []
        order = sorted(range(len(near)), key=lambda place: (-near[place], place))
        reply: dict[str, JsonValue] = {}
        for field in layout.outputs:
            cases = [
                Case(max(near[place], 1e-3), self._texts[place], self._demos[place].outputs[field.label])
                for place in order
                if field.label in self._demos[place].outputs
            ]
            reply[field.label] = _value(field, cases, guesser)
        return reply


def _index(texts: Sequence[str]) -> Nearest:
    # By name: neither an import of dsp nor a user's type checker is to walk into numpy.
    nearest = import_module("dsp.lm.backends.embedded.nearest")
    return cast("Nearest", nearest.Index(texts))  # a module that is imported by name has no types


def _value(field: Field, cases: Sequence[Case], guesser: Guesser, depth: int = 0) -> JsonValue:
    shape = field.shape
    cases = [case for case in cases if fitting(case.value, shape)]
    if not cases or depth > DEPTH:
        return guesser.guess(field).value
    if cases[0].near >= SAME:
        return cases[0].value
    if shape.kind == "choice":
        prior = dict(zip((_key(option) for option in shape.options), guesser.option_scores(field), strict=True))
        return _voted(cases, prior)
    if shape.kind == "boolean":
        return _voted(cases, {})
    if shape.kind in ("integer", "number"):
        return _number(field, cases, guesser)
    if shape.kind == "string":
        return _string(field, cases, guesser)
    if shape.kind == "union":
        return _union(field, cases, guesser, depth)
    if shape.kind == "list":
        return _list(field, cases, guesser)
    if shape.kind == "tuple":
        return [
            _value(replace(field, shape=item), _at_place(cases, place), guesser, depth + 1)
            for place, item in enumerate(shape.items)
        ]
    if shape.kind == "model" and (fields := guesser.fields_of(shape)):
        return {one.label: _value(one, _at_label(cases, one.label), guesser, depth + 1) for one in fields}
    return _nearest_or_guess(field, cases, guesser)


def _at_place(cases: Sequence[Case], place: int) -> list[Case]:
    return [replace(case, value=case.value[place]) for case in cases if isinstance(case.value, list)]


def _at_label(cases: Sequence[Case], label: str) -> list[Case]:
    return [
        replace(case, value=case.value[label]) for case in cases if isinstance(case.value, dict) and label in case.value
    ]


def _key(value: JsonValue) -> str:
    return json.dumps(value, sort_keys=True)


def _shares(cases: Sequence[Case]) -> dict[str, float]:
    voters = cases[:VOTERS]
    total = sum(case.near**POWER for case in voters)
    shares: dict[str, float] = {}
    for case in voters:
        key = _key(case.value)
        shares[key] = shares.get(key, 0.0) + case.near**POWER / total
    return shares


def _voted(cases: Sequence[Case], prior: Mapping[str, float]) -> JsonValue:
    shares = _shares(cases)
    spoken = sum(prior.values())
    for key, score in prior.items():
        if score > 0:
            shares[key] = shares.get(key, 0.0) + PRIOR * score / spoken
    # In order of the votes' first appearance, which is that of nearness: a tie goes to the nearer.
    return cast("JsonValue", json.loads(max(shares, key=lambda key: round(shares[key], 9))))  # written by _key


def _number(field: Field, cases: Sequence[Case], guesser: Guesser) -> JsonValue:
    read = sum(any(value == case.value for value, _ in numbers(case.text)) for case in cases[:VOTERS])
    if read >= MOSTLY * len(cases[:VOTERS]):
        guess = guesser.guess(field)
        if guess.evidence:
            return guess.value
    voters = [(case.value, case.near**POWER) for case in cases[: VOTERS // 2] if isinstance(case.value, (int, float))]
    half, heard = sum(weight for _, weight in voters) / 2, 0.0
    for value, weight in sorted(voters):
        heard += weight
        if heard >= half:
            return value
    return guesser.guess(field).value


def _string(field: Field, cases: Sequence[Case], guesser: Guesser) -> JsonValue:
    texts = [str(case.value) for case in cases]
    found = sum(1 for case, text in zip(cases, texts, strict=True) if text.strip() and text in case.text)
    if found >= MOSTLY * len(cases):
        extracted = copied(field, [(case.near, case.text, str(case.value)) for case in cases], guesser.source)
        if extracted is not None:
            return extracted
        return guesser.guess(field).value
    if len(cases) >= 4 and len(set(texts)) <= len(cases) / 2:
        return _voted(cases, {})
    return _nearest_or_guess(field, cases, guesser)


def _nearest_or_guess(field: Field, cases: Sequence[Case], guesser: Guesser) -> JsonValue:
    if cases[0].near >= CLOSE:
        return cases[0].value
    guess = guesser.guess(field)
    # What was right for another input is still right in form, and better than a value that nothing speaks for.
    return guess.value if guess.evidence else cases[0].value


def _union(field: Field, cases: Sequence[Case], guesser: Guesser, depth: int) -> JsonValue:
    present = [case for case in cases if case.value is not None]
    absent = sum(case.near**POWER for case in cases[:VOTERS] if case.value is None)
    if absent * 2 > sum(case.near**POWER for case in cases[:VOTERS]) or not present:
        return None
    members = [item for item in field.shape.items if item.kind != "null" and fitting(present[0].value, item)]
    if not members:
        return present[0].value
    return _value(replace(field, shape=members[0]), present, guesser, depth + 1)


def _list(field: Field, cases: Sequence[Case], guesser: Guesser) -> JsonValue:
    item, size = field.shape.items[0], field.shape.size
    every = [_key(one) for case in cases for one in _listed(case.value)]
    closed = item.kind in ("choice", "boolean") or (len(every) >= 4 and len(set(every)) <= len(every) / 2)
    if not closed or not every:
        return _nearest_or_guess(field, cases, guesser)
    voters = cases[:VOTERS]
    total = sum(case.near**POWER for case in voters)
    shares: dict[str, float] = {}
    for case in voters:
        for key in dict.fromkeys(_key(one) for one in _listed(case.value)):
            shares[key] = shares.get(key, 0.0) + case.near**POWER / total
    ranked = sorted(shares, key=lambda key: -round(shares[key], 9))
    least = int(size.low or 0)
    most = int(size.high) if size.high is not None else len(ranked)
    chosen = [key for number, key in enumerate(ranked[:most]) if shares[key] >= 0.5 or number < least]
    if len(chosen) < least:
        return cases[0].value
    # In the order in which the examples have them, the nearest first.
    return [cast("JsonValue", json.loads(key)) for key in shares if key in chosen]  # written by _key


def _listed(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
