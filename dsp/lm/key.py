"""What makes two requests the same: the components of a cache key.

| component | why it is part of it |
|---|---|
| backend, endpoint | two servers may serve different models under one name |
| model | as the caller named it |
| messages | role, text, parts, tool results |
| parameters | all that are set, except `timeout`, which cannot change the answer |
| response format, tools | they are sent, and shape the reply |
| rollout | another value asks for another sample |

Retries, limits, keys and the way of calling (sync, async, stream) are not part of it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING

from typing_extensions import override

if TYPE_CHECKING:
    from dsp.messages import Request

__all__ = ["CacheKey"]


@dataclass(frozen=True)
class CacheKey:
    """A request as a cache sees it. Equal digests mean equal components."""

    backend: str
    endpoint: str
    request: Request

    @cached_property
    def digest(self) -> bytes:
        """A hash over all components, the same in every process."""
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
        return _canonical(sent) if sent else ""


def _canonical(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=list)
