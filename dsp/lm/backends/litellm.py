"""Every provider that LiteLLM knows, through LiteLLM."""

from __future__ import annotations

import asyncio
import os
import re
from contextlib import aclosing
from typing import TYPE_CHECKING

from typing_extensions import override

from dsp.bridge import background
from dsp.errors import NotConfigured
from dsp.lm.backends import failures, litellm_library
from dsp.lm.backends.catalogue import listed
from dsp.lm.backends.litellm_errors import error_of
from dsp.lm.backends.openai_wire import ChunkReader, NotACompletion, parameters_of, response_of, usage_of
from dsp.lm.backends.pricing import cost_of
from dsp.lm.backends.reasoning import warn_dropped
from dsp.lm.backends.target import Target
from dsp.messages import FinishChunk, Usage, UsageChunk

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping

    from pydantic import JsonValue

    from dsp.errors import LMError
    from dsp.lm.backends.litellm_library import Library
    from dsp.messages import Request, Response, StreamChunk

__all__ = ["LiteLLMBackend"]

TIMEOUT = 600.0
"""Seconds for one request that sets no `timeout` itself."""
OTHER_CREDENTIALS = frozenset(
    ("azure", "azure_ai", "bedrock", "bedrock_converse", "huggingface", "sagemaker", "sagemaker_chat", "vertex_ai")
)
"""Providers that take more kinds of credentials than variables: whether one is missing is left to them to say."""


class LiteLLMBackend:
    """Performs requests with `litellm.acompletion`, once each: LiteLLM's own retries are off.

    LiteLLM keeps its sockets on the loop that first used them, so all its calls run on dsp's own loop. It is imported at
    the first request, in a thread, and told to print nothing and to fetch nothing: its price table is read from the
    package. Parameters that the model does not take are left out and listed in `response.metadata["dropped"]`.

    The cost is LiteLLM's own figure; it is None where the price is unknown, and for a server of `base_url`.
    """

    def __init__(self, *, base_url: str | None = None, api_key: str | Callable[[], str] | None = None) -> None:
        """Prepares the backend; nothing is imported yet.

        Args:
            base_url: The address of a server; None for the provider's own.
            api_key: The key, or a function that gives it and is asked at each request; None for the provider's
                environment variable.
        """
        self._base_url = base_url
        self._api_key = api_key
        self._with_key: set[str] = set()
        self._supported: dict[str, frozenset[str]] = {}

    @override
    def __repr__(self) -> str:
        if self._base_url is None:
            return "LiteLLMBackend()"
        return f"LiteLLMBackend(base_url={re.sub('//[^/?#]*@', '//***@', self._base_url)!r})"

    @property
    def name(self) -> str:
        """`litellm`."""
        return "litellm"

    @property
    def endpoint(self) -> str:
        """The address; empty for the providers' own."""
        return self._base_url or ""

    async def complete(self, request: Request) -> Response:
        """The whole reply.

        Raises:
            LMError: There is no reply; `reason` says why.
        """
        return await background(self._complete, request)

    async def stream(self, request: Request) -> AsyncIterator[StreamChunk]:
        """The reply, piece by piece. A refusal comes as an end without text: LiteLLM keeps the model's words back.

        Raises:
            LMError: There is no reply, or it broke off; `reason` says why.
        """
        pieces = Pieces(self._stream(request))
        try:
            while (piece := await background(pieces.next)) is not None:
                yield piece
        finally:
            await background(pieces.close)

    async def _complete(self, request: Request) -> Response:
        library = await litellm_library.load()
        target, key = self._target(library, request)
        call, dropped = self._call(library, request, key)
        failure: LMError
        try:
            reply = await library.acompletion(**call)
        except library.errors as error:
            failure = error_of(
                error, target, request.model, _secret(target, key), request.params.get("timeout", TIMEOUT)
            )
        else:
            return self._response(litellm_library.plain(reply), litellm_library.notes(reply), request, target, dropped)
        # Outside of `except`: the errors below hold requests, and with them the key.
        raise failure

    async def _stream(self, request: Request) -> AsyncGenerator[StreamChunk, None]:
        library = await litellm_library.load()
        target, key = self._target(library, request)
        call, _ = self._call(library, request, key)
        chunks, cost = ChunkReader(), None
        failure: LMError | None = None
        try:
            stream = await library.acompletion(**call, stream=True, stream_options={"include_usage": True})
            async with aclosing(litellm_library.chunks(stream)) as plain:
                async for chunk in plain:
                    cost = _cost_in(chunk) or cost
                    for piece in chunks.read(chunk):
                        yield piece
        except NotACompletion as error:
            failure = failures.invalid(target, request.model, "", str(error))
        except library.errors as error:
            failure = error_of(
                error, target, request.model, _secret(target, key), request.params.get("timeout", TIMEOUT)
            )
        if failure is None and chunks.finish is None:
            failure = failures.unreachable(target, request.model, target.provider, "the stream ended in mid-reply")
        if failure is not None:
            raise failure
        usage = chunks.usage
        if usage is None or self._base_url is not None:
            cost = None
        elif cost is None:
            cost = cost_of(request.model, usage)
        if usage is not None:
            yield UsageChunk(usage, cost)
        yield FinishChunk(chunks.finish or "other")

    # -------------------------------------------------------------------------------------------- sending

    def _target(self, library: Library, request: Request) -> tuple[Target, str | None]:
        """Where the request goes, and the key that was given for it.

        Raises:
            NotConfigured: No key was given, and the environment has none.
        """
        provider = request.model.partition("/")[0]
        variable = _variable(provider)
        target = Target(provider, self._base_url, self._api_key, variable if self._api_key is None else None)
        if self._api_key is not None:
            return target, target.key(request.model)
        if self._base_url is not None:
            # OpenAI's client will not start without a key; a key of the environment is for the provider's own address.
            return target, "none" if provider == "openai" else None
        if request.model not in self._with_key and provider not in OTHER_CREDENTIALS and not library.has_key(provider):
            missing = [name for name in library.missing(request.model) if name.endswith(("_KEY", "_TOKEN"))]
            if missing:
                raise NotConfigured(
                    f"No key for {request.model!r}: set the environment variable {' or '.join(missing)}, or write "
                    f"dsp.LM({request.model!r}, api_key=...). Without a key, dsp.LM('embedded') answers offline.",
                    model=request.model,
                    provider=provider,
                )
            self._with_key.add(request.model)
        return target, None

    def _call(
        self, library: Library, request: Request, key: str | None
    ) -> tuple[dict[str, JsonValue], tuple[str, ...]]:
        """The arguments of `acompletion`, and the names of the parameters that are left out."""
        parameters, dropped = parameters_of(request, request.model)
        supported = self._supported.get(request.model)
        if supported is None:
            supported = self._supported[request.model] = library.supported(request.model)
        if supported:  # empty where LiteLLM does not know
            more = tuple(name for name in parameters if name not in supported)
            parameters = {name: value for name, value in parameters.items() if name not in more}
            dropped += more
        warn_dropped(request.model, dropped)
        call: dict[str, JsonValue] = {
            **parameters,
            **request.params.get("extra", {}),
            "model": request.model,
            # LiteLLM changes messages in place for some providers; these dicts are shared with other calls.
            "messages": [dict(message.to_openai()) for message in request.messages],
            "timeout": request.params.get("timeout", TIMEOUT),
            "max_retries": 0,
            "num_retries": 0,
        }
        if parameters:
            call["drop_params"] = True
        if request.tools:
            call["_skip_mcp_handler"] = True  # it is imported for every tool, and needs a package that may not be there
        if key is not None:
            call["api_key"] = key
        if self._base_url is not None:
            call["api_base"] = self._base_url
        return call, dropped

    # -------------------------------------------------------------------------------------------- reading

    def _response(
        self,
        reply: dict[str, JsonValue],
        notes: Mapping[str, JsonValue],
        request: Request,
        target: Target,
        dropped: tuple[str, ...],
    ) -> Response:
        metadata = _metadata(notes)
        if dropped:
            metadata["dropped"] = list(dropped)
        usage = usage_of(reply)
        cost = notes.get("response_cost")
        if usage is None or self._base_url is not None or not isinstance(cost, int | float):
            cost = None
        elif cost == 0 and not _is_free(request.model):
            cost = None  # LiteLLM says 0 where it does not know
        try:
            return response_of(reply, provider=target.provider, cost=cost, usage=usage or Usage(), metadata=metadata)
        except NotACompletion as error:
            raise failures.invalid(target, request.model, str(reply), str(error)) from None


class Pieces:
    """A stream on dsp's own loop, taken from another one."""

    def __init__(self, pieces: AsyncGenerator[StreamChunk, None]) -> None:
        self._pieces = pieces
        # A cancelled `next` may still be on its way out of the generator when `close` comes.
        self._turn = asyncio.Lock()

    async def next(self) -> StreamChunk | None:
        """The next piece; None at the end."""
        async with self._turn:
            return await anext(self._pieces, None)

    async def close(self) -> None:
        """Ends the stream, read to its end or not."""
        async with self._turn:
            await self._pieces.aclose()


def _variable(provider: str) -> str:
    names: tuple[str, ...] = (f"{provider.upper()}_API_KEY", f"{provider.upper()}_KEY", f"{provider.upper()}_TOKEN")
    if provider == "gemini":
        names += ("GOOGLE_API_KEY",)
    return next((name for name in names if name in os.environ), names[0])


def _secret(target: Target, key: str | None) -> str | None:
    """The key that may stand in an error's text."""
    if key is None and target.key_variable is not None:
        return os.environ.get(target.key_variable)
    return key


def _is_free(model: str) -> bool:
    entry = listed(model)
    return entry is not None and entry.prices.get("input_cost_per_token") == 0


def _cost_in(chunk: Mapping[str, JsonValue]) -> float | None:
    usage = chunk.get("usage")
    cost = usage.get("cost") if isinstance(usage, dict) else None
    return float(cost) if isinstance(cost, int | float) else None


def _metadata(notes: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    kept: dict[str, JsonValue] = {}
    headers = notes.get("additional_headers")
    for name, value in headers.items() if isinstance(headers, dict) else ():
        lower = name.lower().removeprefix("llm_provider-")
        if lower == "x-request-id" or lower.startswith("x-ratelimit-"):
            kept[lower] = str(value)
    return kept
