"""Classes that know their type arguments at run time: `Predict[Ticket, Triage]` is a real, cached subclass."""

from __future__ import annotations

import copyreg
from abc import ABCMeta
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_args, get_origin
from weakref import WeakValueDictionary

from typing_extensions import get_original_bases

from dsp.errors import SignatureError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Typed", "type_arguments"]

# `Any` in this module stands for "a type argument": a class, a union, a TypeVar. Types have no common type.


class TypedMeta(ABCMeta):
    """Has a class of its own so that bound classes can be pickled by what they were made of."""


_bound: WeakValueDictionary[tuple[type[Any], tuple[Any, ...], tuple[Any, ...]], type[Any]] = WeakValueDictionary()
"""Every bound class that is in use. Weak: a program of models made at run time goes when they do."""


class Typed(metaclass=TypedMeta):
    """A generic class whose subscription makes a subclass that remembers the arguments."""

    @classmethod
    def check_type_arguments(cls, arguments: tuple[Any, ...]) -> None:
        """Refuse arguments at the subscription. For classes that need them at run time to override."""

    if not TYPE_CHECKING:  # the checkers know subscription already, and better

        def __class_getitem__(cls, params):  # noqa: ANN001, ANN204 - never seen by a checker
            alias = super().__class_getitem__(params)
            if alias.__parameters__ or Any in get_args(alias):
                # Still generic, as in `class To(Predict[Question, T], Generic[T])`, or an annotation: `Predict[Any, Any]`.
                return alias
            # The arguments as written: typing may hand out the alias of an equal union in another order.
            return _bind(cls, alias, params if isinstance(params, tuple) else (params,))


def _bind(cls: type[Typed], alias: Any, arguments: tuple[Any, ...]) -> type[Any]:
    if len(arguments) != len(get_args(alias)):
        arguments = get_args(alias)  # typing has put defaults in, or made one of several
    # `A | B` equals `B | A`, and a prompt shows them in their order.
    key = (cls, arguments, tuple(get_args(argument) for argument in arguments))
    found = _bound.get(key)
    if found is None:
        cls.check_type_arguments(arguments)
        name = f"{cls.__name__}[{', '.join(map(type_name, arguments))}]"
        namespace = {
            "__module__": cls.__module__,
            "__doc__": cls.__doc__,
            "__orig_bases__": (alias,),
            "__made_of__": (cls, arguments),
        }
        found = _bound.setdefault(key, TypedMeta(name, (cls,), namespace))
    return found


def type_name(argument: Any) -> str:
    """A type as a person writes it."""
    return argument.__name__ if isinstance(argument, type) else str(argument)


def type_arguments(cls: type[Any], root: type[Any]) -> tuple[Any, ...]:
    """What `cls` puts for the parameters of its generic ancestor `root`.

    Raises:
        SignatureError: Some are still open: the class was not subscripted.
    """
    found = _seen_from(cls, root, {})
    if found is None or any(isinstance(argument, TypeVar) for argument in found):
        raise SignatureError(
            f"`{cls.__name__}` does not know its types: write `{root.__name__}[Input, Output](...)`, or "
            f"`{root.__name__}.of(Input, Output)` for types that are known only at run time."
        )
    return found


def _seen_from(cls: type[Any], root: type[Any], known: Mapping[Any, Any]) -> tuple[Any, ...] | None:
    if cls is root:
        return tuple(known.get(parameter, parameter) for parameter in _parameters(root))
    made_of: Any = vars(cls).get("__made_of__")
    bases = [made_of] if made_of else [(get_origin(base) or base, get_args(base)) for base in get_original_bases(cls)]
    for origin, given in bases:
        if isinstance(origin, type) and issubclass(origin, root):
            arguments = (known.get(argument, argument) for argument in given)
            below = dict(zip(_parameters(origin), arguments, strict=False))
            if (found := _seen_from(cast("type[Any]", origin), root, below)) is not None:
                return found
    return None


def _parameters(cls: Any) -> tuple[Any, ...]:
    return cast("tuple[Any, ...]", getattr(cls, "__parameters__", ()))


def _subscripted(origin: Any, arguments: tuple[Any, ...]) -> Any:
    return origin[arguments]


def _reduced(cls: TypedMeta) -> Any:
    made_of: Any = vars(cls).get("__made_of__")
    return (_subscripted, made_of) if made_of else cls.__qualname__


copyreg.pickle(TypedMeta, _reduced)
