"""What makes two requests the same: the components of a cache key.

| component | why it is part of it |
|---|---|
| backend, endpoint | two servers may serve different models under one name; a backend that names none shares with no other |
| model | as the caller named it |
| messages | role, text, parts, tool results |
| parameters | all that are set, except `timeout`, which cannot change the answer |
| response format, tools | they are sent, and shape the reply |
| rollout | another value asks for another sample |

Retries, limits, keys and the way of calling (sync, async, stream) are not part of it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING, cast
from weakref import WeakKeyDictionary

from typing_extensions import override

from dsp.errors import SettingsError

if TYPE_CHECKING:
    from dsp.lm.backends.backend import Backend
    from dsp.messages import Request

__all__ = ["CacheKey", "endpoint_of"]


@dataclass(frozen=True)
class CacheKey:
    """A request as a cache sees it. Equal digests mean equal components."""

    backend: str
    endpoint: str
    request: Request

    @cached_property
    def digest(self) -> bytes:
        """A hash over all components, the same in every process.

        Raises:
            SettingsError: A parameter that cannot be written as JSON.
        """
        request = self.request
        digest = blake2b(digest_size=24)
        head = (self.backend, self.endpoint, request.model, self._params())
        digest.update("\x00".join(head).encode())
        for message in request.messages:
            digest.update(message.digest)
        if request.response_format is not None:
            digest.update(request.response_format.digest)
        for tool in request.tools:
            digest.update(_canonical(tool.json_schema()).encode())
        return digest.digest()

    def components(self) -> dict[str, str]:
        """The components by name, for reading."""
        request = self.request
        return {
            "backend": self.backend,
            "endpoint": self.endpoint,
            "model": request.model,
            "parameters": self._params(),
            "messages": _canonical([message.to_openai() for message in request.messages]),
            "response_format": _canonical(request.response_format.schema) if request.response_format else "",
            "tools": _canonical([tool.json_schema() for tool in request.tools]),
        }

    @override
    def __str__(self) -> str:
        return "\n".join(f"{name}: {value}" for name, value in self.components().items())

    def _params(self) -> str:
        sent = {name: value for name, value in self.request.params.items() if name != "timeout"}
        if not sent:
            return ""
        try:
            return _canonical(sent)
        except NOT_JSON as error:
            raise _unwritable(sent, error) from error


def endpoint_of(backend: Backend) -> str:
    """Where a backend sends requests. One that does not say shares its replies with no other, in no process."""
    named: str | None = getattr(backend, "endpoint", None)
    if named is None:
        named = _tokens.get(backend)
        if named is None:
            named = _tokens.setdefault(backend, f"unnamed-{os.urandom(12).hex()}")
    return named


_tokens: WeakKeyDictionary[Backend, str] = WeakKeyDictionary()
BYTES = (bytes, bytearray, memoryview)
"""Sequences that no JSON holds."""
NOT_JSON = (TypeError, ValueError, RecursionError)


def _canonical(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain)


def _plain(value: object) -> object:
    """What JSON has for a container of Python; two values that differ must not become the same."""
    kind = type(value).__name__
    if isinstance(value, Mapping):
        return dict(cast("Mapping[object, object]", value))
    if isinstance(value, AbstractSet):
        return sorted(cast("AbstractSet[object]", value), key=_canonical)  # its own order is another in every process
    if isinstance(value, Sequence) and not isinstance(value, BYTES):
        return list(cast("Sequence[object]", value))
    raise TypeError(f"{kind} is no JSON")


def _unwritable(sent: Mapping[str, object], error: Exception) -> SettingsError:
    named = [(name, value) for name, value in sent.items() if name != "extra"]
    extra = sent.get("extra")
    if isinstance(extra, Mapping):
        inner = cast("Mapping[object, object]", extra)
        named += [(f"extra[{name!r}]", {name: value}) for name, value in inner.items()]
    for name, value in named:
        try:
            _canonical(value)
        except NOT_JSON as cause:
            return SettingsError(
                f"The parameter `{name}` cannot be sent: {cause}. Give text, numbers, lists and dicts."
            )
    return SettingsError(f"The parameter `extra` cannot be sent: {error}. Give text, numbers, lists and dicts.")
