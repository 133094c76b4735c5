"""A direct connection to any server that speaks the OpenAI chat protocol."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from io import BytesIO
from typing import TYPE_CHECKING

from aiohttp import ClientError, ClientResponse, ClientTimeout, InvalidURL
from multidict import CIMultiDict
from pydantic_core import PydanticSerializationError, to_json
from typing_extensions import override
from yarl import URL

from dsp.bridge import to_loop
from dsp.errors import InvalidMessages, LMError, SettingsError
from dsp.lm.backends import failures
from dsp.lm.backends.openai_wire import ChunkReader, NotACompletion, body_of, read_json, response_of, usage_of
from dsp.lm.backends.pricing import cost_of
from dsp.lm.backends.reasoning import warn_dropped
from dsp.lm.backends.sessions import Sessions, proxy_of
from dsp.lm.backends.sse import EventReader
from dsp.lm.backends.target import OPENAI_URL, Target, wire_name
from dsp.messages import (
    FinishChunk,
    Request,
    Response,
    StreamChunk,
    Usage,
    UsageChunk,
    as_chunks,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from contextlib import AbstractAsyncContextManager

    from pydantic import JsonValue

__all__ = ["DirectBackend"]

LARGE = 2**20
"""Bytes of a body from which aiohttp wants a file instead."""
DRAIN = 0.2
"""Seconds to wait for the end of a stream that has said that it is done."""


class DirectBackend:
    """Performs requests over aiohttp: OpenAI itself, or any compatible server (vLLM, llama.cpp, Ollama, a proxy).

    It sends each request once. Connections are kept open for the next request, per event loop, and are closed with
    their loop. The cost of a reply is known for OpenAI's own servers; of all others it is None, since nobody but their
    owner knows their price, whatever they call their models.
    """

    def __init__(
        self,
        base_url: str = OPENAI_URL,
        *,
        api_key: str | Callable[[], str] | None = None,
        key_variable: str | None = None,
        provider: str = "openai",
        timeout: float = 600.0,
    ) -> None:
        """Prepares the backend; nothing is connected yet.

        Args:
            base_url: The address, up to and with `/v1`.
            api_key: The key, or a function that gives it and is asked at each request.
            key_variable: The environment variable to take the key from where `api_key` is None. None means
                OPENAI_API_KEY for OpenAI's own address, and no key for all others: a key is never sent to a place
                that its owner did not name.
            provider: What to call the server in responses and errors.
            timeout: Seconds for one request that sets no `timeout` itself.

        Raises:
            SettingsError: `base_url` is no HTTP address.
        """
        root = _normalised(base_url)
        own = root.host is not None and f".{root.host}".endswith(".api.openai.com")
        self._endpoint = str(root)
        self._url = root / "chat" / "completions"
        self._priced = own
        self._target = Target(
            provider, self._endpoint, api_key, key_variable or ("OPENAI_API_KEY" if own and api_key is None else None)
        )
        self._timeout = ClientTimeout(total=timeout, sock_connect=min(timeout, 30.0))
        self._sessions = Sessions()
        self._headers: tuple[str, CIMultiDict[str]] | None = None
        self._proxy: tuple[URL | None] | None = None

    @override
    def __repr__(self) -> str:
        return f"DirectBackend({self._endpoint!r})"

    @property
    def name(self) -> str:
        """`direct`."""
        return "direct"

    @property
    def endpoint(self) -> str:
        """The address, normalised: part of the cache key."""
        return self._endpoint

    async def complete(self, request: Request) -> Response:
        """The whole reply.

        Raises:
            LMError: There is no reply; `reason` says why.
        """
        model = wire_name(request.model)
        body, dropped = body_of(request, model)
        key = self._target.key(request.model)
        failure: LMError
        try:
            async with await self._post(request, body, key) as answer:
                raw = await answer.read()
        except (ClientError, TimeoutError, OSError) as error:
            failure = self._failure(error, request)
        else:
            if answer.status == 200:
                return self._response(raw, answer.headers, request, key, dropped)
            failure = self._refusal(answer.status, raw, answer.headers, request, key)
        # Outside of `except`: the errors of aiohttp hold the request's headers, and with them the key.
        raise failure

    async def stream(self, request: Request) -> AsyncIterator[StreamChunk]:
        """The reply, piece by piece: usage, where the server reports it, and the reason to finish come last.

        Raises:
            LMError: There is no reply, or it broke off; `reason` says why.
        """
        model = wire_name(request.model)
        body, dropped = body_of(request, model, stream=True)
        warn_dropped(request.model, dropped)
        key = self._target.key(request.model)
        chunks = ChunkReader()
        failure: LMError | None = None
        try:
            async with await self._post(request, body, key) as answer:
                if answer.status != 200:
                    failure = self._refusal(answer.status, await answer.read(), answer.headers, request, key)
                elif answer.content_type != "text/event-stream":
                    # A server that does not stream gives the reply whole.
                    whole = self._response(await answer.read(), answer.headers, request, key, dropped)
                    for piece in as_chunks(whole):
                        yield piece
                    return
                else:
                    async for data in _events(answer):
                        for piece in self._chunk(chunks, data, request, key):
                            yield piece
        except (ClientError, TimeoutError, OSError) as error:
            failure = self._failure(error, request)
        if failure is not None:
            raise failure
        if chunks.finish is None:
            raise failures.unreachable(self._target, request.model, self._endpoint, "the stream ended in mid-reply")
        usage = chunks.usage
        cost = self._cost(chunks.model or model, usage, chunks.tier)
        if usage is not None:
            yield UsageChunk(usage, cost)
        yield FinishChunk(chunks.finish)

    async def aclose(self) -> None:
        """Closes the connections on every loop; a later request opens new ones."""
        await to_loop()
        await self._sessions.aclose()

    def close(self) -> None:
        """`aclose` for places without `await`."""
        self._sessions.close()

    # -------------------------------------------------------------------------------------------- sending

    async def _post(
        self, request: Request, body: dict[str, JsonValue], key: str | None
    ) -> AbstractAsyncContextManager[ClientResponse]:
        try:
            data = to_json(body)
        except PydanticSerializationError as error:
            raise InvalidMessages(
                f"The request to {request.model!r} cannot be written as JSON: {error}. Text with halves of surrogate "
                f"pairs is mended by text.encode('utf-8', 'replace').decode().",
                model=request.model,
                provider=self._target.provider,
            ) from error
        seconds = request.params.get("timeout")
        if self._proxy is None:
            self._proxy = (proxy_of(self._url),)
        session = await self._sessions.get()
        return session.post(
            self._url,
            data=data if len(data) < LARGE else BytesIO(data),
            headers=self._headers_with(key),
            timeout=self._timeout if seconds is None else ClientTimeout(total=seconds),
            proxy=self._proxy[0],
            allow_redirects=False,  # a redirected POST loses its body, and the key would go to another place
        )

    def _headers_with(self, key: str | None) -> CIMultiDict[str]:
        """The headers for a key, kept for the next request with the same one."""
        if self._headers is None or self._headers[0] != (key or ""):
            headers = CIMultiDict({"Content-Type": "application/json"})
            if key is not None:
                headers["Authorization"] = f"Bearer {key}"
            self._headers = (key or "", headers)
        return self._headers[1]

    # -------------------------------------------------------------------------------------------- reading

    def _response(
        self, raw: bytes, headers: Mapping[str, str], request: Request, key: str | None, dropped: tuple[str, ...]
    ) -> Response:
        try:
            reply = read_json(raw)
        except ValueError:
            raise self._invalid(raw, "it is not JSON.", request, key) from None
        if not isinstance(reply, dict):
            raise self._invalid(raw, "it is not a JSON object.", request, key)
        if reply.get("error") and "choices" not in reply:
            raise self._in_band(reply, headers, request, key)
        metadata = _metadata(headers)
        if dropped:
            metadata["dropped"] = list(dropped)
            warn_dropped(request.model, dropped)
        usage = usage_of(reply)
        model, tier = reply.get("model"), reply.get("service_tier")
        cost = self._cost(
            model if isinstance(model, str) else wire_name(request.model),
            usage,
            tier if isinstance(tier, str) else None,
        )
        try:
            return response_of(
                reply, provider=self._target.provider, cost=cost, usage=usage or Usage(), metadata=metadata
            )
        except NotACompletion as error:
            raise self._invalid(raw, str(error), request, key) from None

    def _chunk(self, chunks: ChunkReader, data: bytes, request: Request, key: str | None) -> list[StreamChunk]:
        try:
            chunk = read_json(data)
        except ValueError:
            raise self._invalid(data, "a piece of the stream is not JSON.", request, key) from None
        if not isinstance(chunk, dict):
            raise self._invalid(data, "a piece of the stream is not a JSON object.", request, key)
        if chunk.get("error"):
            raise self._in_band(chunk, {}, request, key)
        try:
            return chunks.read(chunk)
        except NotACompletion as error:
            raise self._invalid(data, str(error), request, key) from None

    def _cost(self, model: str, usage: Usage | None, tier: str | None) -> float | None:
        return None if usage is None or not self._priced else cost_of(model, usage, tier=tier)

    # -------------------------------------------------------------------------------------------- failing

    def _invalid(self, raw: bytes, why: str, request: Request, key: str | None) -> LMError:
        text = self._target.masked(raw[: 20 * failures.SHOWN].decode("utf-8", "replace"), key)
        return failures.invalid(self._target, request.model, text, why)

    def _refusal(
        self, status: int, raw: bytes, headers: Mapping[str, str], request: Request, key: str | None
    ) -> LMError:
        text = self._target.masked(raw.decode("utf-8", "replace"), key)
        try:
            body = read_json(text.encode())
        except ValueError:
            body = None
        lower = {name.lower(): value for name, value in headers.items()}
        return failures.Refusal.of_body(status, body, text, lower).error(self._target, request.model)

    def _in_band(
        self, reply: dict[str, JsonValue], headers: Mapping[str, str], request: Request, key: str | None
    ) -> LMError:
        """An error inside an answer with status 200, as proxies and streams give it."""
        error = reply["error"]
        code = error.get("code") if isinstance(error, dict) else None
        number = str(code)
        status = int(number) if number.isdecimal() and 400 <= int(number[:4]) < 600 else 500
        return self._refusal(status, to_json(reply), headers, request, key)

    def _failure(self, error: Exception, request: Request) -> LMError:
        if isinstance(error, TimeoutError):
            seconds = request.params.get("timeout", self._timeout.total)
            return failures.timed_out(self._target, request.model, seconds)
        place = f"{self._url.host}:{self._url.port}"
        if isinstance(error, InvalidURL):
            return failures.unreachable(self._target, request.model, place, "the address cannot be used")
        why = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return failures.unreachable(self._target, request.model, place, why)


def _normalised(base_url: str) -> URL:
    try:
        url = URL(base_url.strip().rstrip("/"))
    except ValueError as error:
        raise SettingsError(f"base_url={base_url!r} is no address: {error}") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise SettingsError(f"base_url={base_url!r} is no HTTP address: write 'http://127.0.0.1:8000/v1' or the like.")
    if url.user or url.password:
        raise SettingsError(f"base_url for {url.host} holds a user or password: pass the key as `api_key=`.")
    if url.query_string:
        raise SettingsError(f"base_url for {url.host} holds a query (`?...`), which is not sent: leave it out.")
    path = url.path.removesuffix("/").removesuffix("/chat/completions").rstrip("/")
    return url.with_path(path).with_fragment(None)


async def _events(answer: ClientResponse) -> AsyncIterator[bytes]:
    """The data of each event until `[DONE]`."""
    reader = EventReader()
    async for piece in answer.content.iter_any():
        for data in reader.feed(piece):
            if data == b"[DONE]":
                await _drain(answer)
                return
            yield data
    for data in reader.finish():
        if data != b"[DONE]":
            yield data


async def _drain(answer: ClientResponse) -> None:
    """Reads the end of a stream, so that its connection can serve the next call."""
    with suppress(TimeoutError):  # a server that leaves the stream open costs a connection, not a wait
        async with asyncio.timeout(DRAIN):
            await answer.content.read()


def _metadata(headers: Mapping[str, str]) -> dict[str, JsonValue]:
    """The headers worth keeping: the request's id and the rate limits."""
    kept: dict[str, JsonValue] = {}
    for name, value in headers.items():
        if name[0] in "xX":
            lower = name.lower()
            if lower == "x-request-id" or lower.startswith("x-ratelimit-"):
                kept[lower] = value
    return kept
