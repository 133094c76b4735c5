"""One way to ask either backend, and the two of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import pytest

from dsp.lm.backends.direct import DirectBackend
from dsp.lm.backends.litellm import LiteLLMBackend
from dsp.messages import Message, ModelParams, Request

if TYPE_CHECKING:
    from dsp.lm.backends.backend import Backend
    from dsp.messages import Response, StreamChunk

KEY = "sk-test-0123456789-secret"
Make: TypeAlias = Callable[..., "Backend"]


class Asker:
    """Asks a backend one question, from a loop of its own."""

    key = KEY

    @staticmethod
    def request(model: str = "openai/gpt-4o-mini", text: str = "hi", **params: object) -> Request:
        return Request(model, (Message("user", text),), ModelParams(**params))  # type: ignore[typeddict-item]

    def complete(self, backend: Backend, model: str = "openai/gpt-4o-mini", **params: object) -> Response:
        return asyncio.run(backend.complete(self.request(model, **params)))

    def stream(self, backend: Backend, model: str = "openai/gpt-4o-mini", **params: object) -> list[StreamChunk]:
        async def collect() -> list[StreamChunk]:
            return [chunk async for chunk in backend.stream(self.request(model, **params))]

        return asyncio.run(collect())


@pytest.fixture
def ask() -> Asker:
    return Asker()


@pytest.fixture(params=["direct", "litellm"])
def make(request: pytest.FixtureRequest) -> Make:
    """Makes a backend for an address; each test that takes it runs on both."""

    def direct(base_url: str, api_key: str | None = KEY) -> Backend:
        return DirectBackend(base_url, api_key=api_key)

    def litellm(base_url: str, api_key: str | None = KEY) -> Backend:
        return LiteLLMBackend(base_url=base_url, api_key=api_key)

    return direct if request.param == "direct" else litellm
