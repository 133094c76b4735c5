"""Docstrings of the running interpreter's standard library, each with its module, and how sure a share of them is."""

from __future__ import annotations

import importlib
import inspect
import math
import pkgutil
import re
from hashlib import blake2b
from itertools import chain, zip_longest
from typing import TYPE_CHECKING

import dsp
from dsp.cli.demo.programs import Docstring, Module, Origin, example

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

__all__ = ["halves", "in_turn", "wilson"]

LEAST = 40
MOST = 400
"""Characters of a docstring that are shown."""
MOST_OF_A_MODULE = 60
SAME = 0.5
"""The share of word triples from which on two docstrings count as near duplicates."""
NOT_READ = re.compile(r"_|tests?$|windows_|main$|mock$")
"""Submodules that are private, or of another system."""


def halves() -> tuple[list[dsp.Example[Docstring, Origin]], list[dsp.Example[Docstring, Origin]]]:
    """Rows to learn from and rows to be tested on, split by hash; near duplicates are on one side."""
    found = sorted(
        ((text, module) for module in Module for text in _docstrings(module.value)), key=lambda row: _hash(row[0])
    )
    groups = _near_duplicates([text for text, _ in found])
    counts = dict.fromkeys(Module, 0)
    sides: tuple[list[dsp.Example[Docstring, Origin]], list[dsp.Example[Docstring, Origin]]] = ([], [])
    for (text, module), group in zip(found, groups, strict=True):
        counts[module] += 1
        if counts[module] <= MOST_OF_A_MODULE:
            sides[_hash(group)[0] % 2].append(example(text, module))
    return sides


def in_turn(rows: list[dsp.Example[Docstring, Origin]], most: int) -> list[dsp.Example[Docstring, Origin]]:
    """The first rows of every module in turn, so that each has its share."""
    by_module = [[row for row in rows if row.expected.module is module] for module in Module]
    mixed = chain.from_iterable(zip_longest(*by_module))
    return [row for row in mixed if row is not None][:most]


def wilson(right: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, Probable Inference, the Law of Succession, and Statistical Inference, 1927)."""
    z = 1.96
    middle = (right + z * z / 2) / (of + z * z)
    reach = z / (of + z * z) * math.sqrt(right * (of - right) / of + z * z / 4)
    return max(middle - reach, 0.0), min(middle + reach, 1.0)


def _docstrings(name: str) -> Iterator[str]:
    seen: set[str] = set()
    for module in _with_submodules(importlib.import_module(name)):
        for names, function in _functions(module, name):
            doc = getattr(function, "__doc__", None)
            if not isinstance(doc, str) or len(doc) < LEAST:
                continue
            text = _masked(inspect.cleandoc(doc), names)[:MOST]
            if text not in seen:
                seen.add(text)
                yield text


def _with_submodules(module: ModuleType) -> Iterator[ModuleType]:
    yield module
    for found in pkgutil.iter_modules(getattr(module, "__path__", ())):
        if not NOT_READ.match(found.name):
            yield importlib.import_module(f"{module.__name__}.{found.name}")


def _functions(module: ModuleType, name: str) -> Iterator[tuple[list[str], object]]:
    """The functions of a module and the methods of its classes, with the names that would give each away."""
    for key, value in sorted(vars(module).items()):
        if (getattr(value, "__module__", None) or "").lstrip("_").split(".")[0] != name:
            continue
        if inspect.isclass(value):
            yield from (
                ([method, key], each)
                for method, each in sorted(vars(value).items())
                if inspect.isroutine(each) or isinstance(each, classmethod | staticmethod)
            )
        elif inspect.isroutine(value):
            yield [key], value


def _masked(text: str, names: list[str]) -> str:
    """The docstring without its own names and without those of the modules."""
    hidden = {*names, *(name.strip("_") for name in names), *(module.value for module in Module)}
    long = sorted((name for name in hidden if len(name) > 2), key=len, reverse=True)
    return re.sub(rf"\b(?:{'|'.join(map(re.escape, long))})\b", "NAME", text, flags=re.IGNORECASE)


def _near_duplicates(texts: list[str]) -> list[str]:
    """For each text, the first one of its group: chains of texts that share half of their word triples."""
    triples = [_triples(text) for text in texts]
    group = list(range(len(texts)))

    def first(number: int) -> int:
        while group[number] != number:
            number = group[number]
        return number

    for later in range(len(texts)):
        for earlier in range(later):
            shared = len(triples[later] & triples[earlier])
            if shared and shared >= SAME * min(len(triples[later]), len(triples[earlier])):
                ends = sorted((first(later), first(earlier)))
                group[ends[1]] = ends[0]
    return [texts[first(number)] for number in range(len(texts))]


def _triples(text: str) -> frozenset[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return frozenset(zip(words, words[1:], words[2:], strict=False)) or frozenset([tuple(words)])


def _hash(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=8).digest()
