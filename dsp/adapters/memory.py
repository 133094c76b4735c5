"""What an adapter remembers of a signature for as long as the signature lives, and no longer."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from dsp.bridge import ForkSafeLock

if TYPE_CHECKING:
    from dsp.messages import Message
    from dsp.signatures import Example, Signature

__all__ = ["DemoMemory", "SignatureMemory"]

P = TypeVar("P")
AnySignature: TypeAlias = "Signature[Any, Any]"  # whatever its models: what is remembered does not depend on them


class SignatureMemory(Generic[P]):
    """One value for each signature object. What is kept must hold neither the signature nor its models."""

    def __init__(self, make: Callable[[AnySignature], P]) -> None:
        self._make = make
        self._kept: dict[int, tuple[weakref.ref[AnySignature], P]] = {}

    def of(self, signature: AnySignature) -> P:
        """The value for a signature, made when it is first asked for."""
        key = id(signature)
        kept = self._kept.get(key)
        if kept is not None and kept[0]() is signature:
            return kept[1]
        value = self._make(signature)
        entries = self._kept

        def forget(reference: weakref.ref[AnySignature]) -> None:
            if (entry := entries.get(key)) is not None and entry[0] is reference:
                del entries[key]

        entries[key] = (weakref.ref(signature, forget), value)
        return value


class DemoMemory:
    """The messages of the sets of demos used last, found by identity: examples are immutable."""

    MOST = 256
    """Sets: as many programs of one signature can each have demos of their own, and none of them pays for the others."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int | tuple[int, ...], tuple[object, tuple[Message, ...]]] = OrderedDict()
        self._lock = ForkSafeLock()

    def of(
        self, demos: Sequence[Example[Any, Any]], make: Callable[[], tuple[Message, ...]]
    ) -> tuple[Message, ...]:  # Any: examples of whatever models
        """The messages for these demos, made when they are first asked for."""
        key = id(demos) if isinstance(demos, tuple) else tuple(map(id, demos))
        kept = self._kept.get(key)
        if kept is not None:
            with suppress(KeyError):  # another thread may have dropped it just now
                self._kept.move_to_end(key)
            return kept[1]
        messages = make()
        with self._lock:
            # The demos are kept beside their messages, so that no other object can get their identity.
            self._kept[key] = (demos if isinstance(demos, tuple) else tuple(demos), messages)
            if len(self._kept) > self.MOST:
                self._kept.popitem(last=False)
        return messages
