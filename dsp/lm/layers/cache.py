"""Answering again what was answered before."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Protocol

from dsp.bridge import to_loop
from dsp.lm.key import CacheKey
from dsp.messages import as_chunks, assemble

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from dsp.lm.layers.handler import Call, Handler
    from dsp.messages import Request, Response, StreamChunk

__all__ = ["Cache", "CacheLayer"]


class Cache(Protocol):
    """Where replies are kept. Must be safe to use from many threads and loops at once.

    A class may set `immediate = True` if it waits for nothing: a sync call then stays in the caller's thread. Any other
    is given a running loop first.
    """

    async def get(self, key: CacheKey) -> Response | None:
        """The reply to this request, or None."""
        ...

    async def put(self, key: CacheKey, response: Response) -> None:
        """Keep a reply."""
        ...

    async def delete(self, key: CacheKey) -> None:
        """Drop a reply; nothing happens if there is none."""
        ...

    async def clear(self) -> None:
        """Drop every reply."""
        ...


class CacheLayer:
    """Serves what is known, and keeps what is worth keeping: whole replies, not refused and not cut.

    Sync, async and streamed calls share the entries; a known reply is streamed piece by piece like a new one.
    """

    def __init__(self, inner: Handler, find: Callable[[], Cache | None], backend: str, endpoint: str) -> None:
        self.inner = inner
        self.find = find
        """The cache that holds for a call made here: settings may change it."""
        self.backend = backend
        self.endpoint = endpoint

    def key(self, request: Request) -> CacheKey:
        """The key under which a request's reply is kept."""
        return CacheKey(self.backend, self.endpoint, request)

    async def complete(self, call: Call) -> Response:
        """The known reply, or a new one."""
        cache = await self._found()
        if cache is None:
            return await self.inner.complete(call)
        key = self.key(call.request)
        known = await cache.get(key)
        if known is not None:
            call.cache = "hit"
            return known
        call.cache = "miss"
        response = await self.inner.complete(call)
        if _worth_keeping(response):
            await cache.put(key, _as_cached(response))
        return response

    async def stream(self, call: Call) -> AsyncIterator[StreamChunk]:
        """The known reply in pieces, or a new stream."""
        cache = await self._found()
        if cache is None:
            async for chunk in self.inner.stream(call):
                yield chunk
            return
        key = self.key(call.request)
        known = await cache.get(key)
        if known is not None:
            call.cache = "hit"
            for chunk in as_chunks(known):
                yield chunk
            return
        call.cache = "miss"
        seen: list[StreamChunk] = []
        async for chunk in self.inner.stream(call):
            seen.append(chunk)
            yield chunk
        response = assemble(seen, model=call.request.model)
        if _worth_keeping(response):
            await cache.put(key, _as_cached(response))

    async def forget(self, request: Request) -> None:
        """Drop the reply to a request, so that the next call asks the model again."""
        cache = await self._found()
        if cache is not None:
            await cache.delete(self.key(request))

    async def _found(self) -> Cache | None:
        cache = self.find()
        if cache is not None and not getattr(cache, "immediate", False):
            await to_loop()
        return cache


def _worth_keeping(response: Response) -> bool:
    return response.finish_reason in ("stop", "tool_calls") and response.refusal is None and bool(response.parts)


def _as_cached(response: Response) -> Response:
    return dataclasses.replace(response, served="cache")
