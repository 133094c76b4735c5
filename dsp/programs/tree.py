"""Programs within programs: where they are held, and what they are called."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, TypeVar, cast
from weakref import ref

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from typing_extensions import TypeIs

    from dsp.programs.ask import Asker, LMFunction
    from dsp.programs.program import Program

P = TypeVar("P", bound="Program[Any, Any]")

__all__ = ["children", "copied", "descendants", "label_of", "name_in"]

# `Program[Any, Any]`: a tree holds programs of all types, and none of their inputs or outputs is touched here.


def children(program: Program[Any, Any]) -> Iterator[tuple[str, Program[Any, Any]]]:
    """The programs that another one holds itself, in attributes and in lists, tuples and dicts of any depth.

    Named as one would write it: `search`, `steps[0]`, `by_team['sales'][1]`.
    """
    for name, value in _attributes(program):
        yield from _programs_in(value, name, set())


def label_of(program: Program[Any, Any]) -> str:
    """What a program is called where nobody holds it under a name. (No method: a user's class may have a `label`.)"""
    return program._label()  # noqa: SLF001 - of this room


def descendants(program: Program[Any, Any]) -> Iterator[tuple[str, Program[Any, Any]]]:
    """All programs below another one, each once, by the first path that leads to it."""
    seen = {id(program)}

    def below(around: Program[Any, Any], prefix: str) -> Iterator[tuple[str, Program[Any, Any]]]:
        for name, child in children(around):
            if id(child) not in seen:
                seen.add(id(child))
                yield prefix + name, child
                yield from below(child, f"{prefix}{name}.")

    return below(program, "")


def _attributes(program: object) -> Iterator[tuple[str, object]]:
    for cls in type(program).__mro__:
        slots: str | tuple[str, ...] = vars(cls).get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            private = slot.startswith("__") and not slot.endswith("__")
            name = f"_{cls.__name__.lstrip('_')}{slot}" if private else slot  # as Python itself writes it
            if name not in ("__dict__", "__weakref__") and hasattr(program, name):
                yield name, getattr(program, name)
    yield from vars(program).items() if hasattr(program, "__dict__") else ()


def _is_program(value: object) -> TypeIs[Program[Any, Any]]:
    from dsp.programs.program import Program

    return isinstance(value, Program)


def _is_caller(value: object) -> TypeIs[Asker[..., Any] | LMFunction[..., Any]]:
    """Whether this is a program in the form of a function: `ask`, `taking`, `@lm_function`."""
    from dsp.programs.ask import Asker, LMFunction

    return isinstance(value, Asker | LMFunction)


def _programs_in(value: object, path: str, open_containers: set[int]) -> Iterator[tuple[str, Program[Any, Any]]]:
    if _is_program(value):
        yield path, value
        return
    if _is_caller(value):
        yield path, value.program
        return
    if not isinstance(value, list | tuple | dict) or id(cast("object", value)) in open_containers:
        return
    inside = cast("list[object] | tuple[object, ...] | dict[object, object]", value)
    open_containers.add(id(inside))
    for key, each in inside.items() if isinstance(inside, dict) else enumerate(inside):
        yield from _programs_in(each, f"{path}[{key!r}]", open_containers)
    open_containers.discard(id(inside))


def copied(program: P, made: dict[int, object] | None = None) -> P:
    """A program with programs of its own all the way down; what else it holds is shared with the original."""
    made = {} if made is None else made
    if id(program) in made:
        return cast("P", made[id(program)])
    twin = object.__new__(type(program))
    made[id(program)] = twin
    for name, value in _attributes(program):
        object.__setattr__(twin, name, _copied_value(value, made))
    return twin


def _copied_value(value: object, made: dict[int, object]) -> object:
    shared = value
    # Lists and dicts are new even without programs, and of the same class: appending to one leaves the other alone.
    if _is_program(value):
        return copied(value, made)
    if id(value) in made:
        return made[id(value)]
    if _is_caller(value):
        caller = made[id(value)] = copy(value)
        vars(caller)["program"] = copied(value.program, made)  # of the same class as before, whichever of the two it is
        return caller
    if isinstance(value, list):
        items = made[id(cast("object", value))] = copy(cast("list[object]", value))
        for index, each in enumerate(items):
            items[index] = _copied_value(each, made)
        return items
    if isinstance(value, dict):
        entries = made[id(cast("object", value))] = copy(cast("dict[object, object]", value))
        for key, each in list(entries.items()):
            entries[key] = _copied_value(each, made)
        return entries
    if isinstance(value, tuple):
        parts = cast("tuple[object, ...]", value)
        if any(True for _ in _programs_in(parts, "", set())):
            make: Callable[[Iterable[object]], object] = getattr(type(parts), "_make", tuple)  # a named tuple's own
            return make(_copied_value(each, made) for each in parts)
    return shared


class _Names:
    """The names of one program's children, by identity; kept while the program lives."""

    def __init__(self, owner: Program[Any, Any]) -> None:
        key = id(owner)
        self.owner = ref(owner, lambda _gone: _names.pop(key, None))
        self.of: dict[int, tuple[ref[Program[Any, Any]], str]] = {}
        for name, child in children(owner):
            self.keep(child, name)

    def keep(self, child: Program[Any, Any], name: str) -> str:
        key = id(child)
        if key not in self.of:
            self.of[key] = (ref(child, lambda _gone: self.of.pop(key, None)), name)
        return name


_names: dict[int, _Names] = {}
"""By identity and not by equality: a user's program may be a dataclass that cannot be hashed."""


def _moved(owner: Program[Any, Any], child: Program[Any, Any], name: str) -> bool:
    """Whether an attribute of that name now holds another program. (What lies in containers is not looked up.)"""
    there = getattr(owner, name, child)
    return there is not child and _is_program(there)


def name_in(owner: Program[Any, Any], child: Program[Any, Any], otherwise: str) -> str:
    """What `owner` calls `child`; `otherwise` for a program that it does not hold (a global, or one made on the way).

    The names are read off once, so that a call costs the same however many parts a program has.
    """
    names = _names.get(id(owner))
    if names is None or names.owner() is not owner:
        names = _names[id(owner)] = _Names(owner)
    known = names.of.get(id(child))
    if known is not None and known[0]() is child and not _moved(owner, child, known[1]):
        return known[1]
    if known is not None:
        names = _names[id(owner)] = _Names(owner)  # something was put elsewhere since the names were read off
        known = names.of.get(id(child))
        if known is not None:
            return known[1]
    found = next((name for name, each in children(owner) if each is child), otherwise)
    return names.keep(child, found)
