"""A language model as programs see it: a backend under a stack of layers."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Literal, Self, TypeAlias, Unpack, cast

from typing_extensions import override

from dsp import settings
from dsp.bridge import iterate_sync, run_sync
from dsp.errors import SettingsError
from dsp.lm.backends.choose import choose
from dsp.lm.closing import aclose_backend, close_backend, opened
from dsp.lm.key import endpoint_of
from dsp.lm.kinds import check_kinds, check_values
from dsp.lm.layers.attempt import AttemptLayer
from dsp.lm.layers.cache import CacheLayer
from dsp.lm.layers.deadline import DeadlineLayer
from dsp.lm.layers.disk import DiskCache
from dsp.lm.layers.handler import Call
from dsp.lm.layers.memory import MemoryCache
from dsp.lm.layers.permits import Limits, LimitsLayer, Permits
from dsp.lm.layers.retry import Retry, RetryLayer
from dsp.lm.layers.trace import TraceLayer
from dsp.messages import Message, ModelParams, Request, messages_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence

    from dsp.lm.backends.backend import Backend
    from dsp.lm.layers.cache import Cache
    from dsp.lm.layers.handler import Handler
    from dsp.messages import Response, StreamChunk

__all__ = ["LM", "Prompting", "check_params"]

Prompting: TypeAlias = "Request | str | Sequence[Message]"
"""What a model can be asked: a whole request, a text, or messages."""

DEFAULT_TIMEOUT = 600.0
"""Seconds for a whole call."""
DEFAULT_RETRY = Retry()


class LM:
    """A language model.

    Example:
        >>> lm = LM("embedded")
        >>> lm("Where is the Louvre? The Louvre is in Paris.")
        'The Louvre is in Paris.'

    Args:
        model: `provider/model`, such as `openai/gpt-4o-mini` or `anthropic/claude-sonnet-4-5`; `embedded` for the
            model that ships with dsp.
        api_key: The key, or a function that returns it, asked before every request; without it, the provider's
            environment variable is read.
        base_url: An OpenAI-compatible server.
        backend: `auto` takes the direct connection for `openai/` and for any `base_url`, LiteLLM for all others.
        cache: True for the cache of the settings (memory, unless configured otherwise), False for none, or a cache.
        retry: When failed requests are sent again; None for never.
        limits: How many requests may be under way at once.
        **params: What is sent with every request: `temperature`, `max_tokens`, and so on. What is not set is not sent.

    Raises:
        UnsupportedProvider: No backend knows the provider.
        SettingsError: A value that an argument cannot take, or an unknown parameter.
    """

    model: str
    backend: Backend
    params: ModelParams
    retry: Retry | None
    limits: Limits | None
    cache: Cache | bool

    def __init__(
        self,
        model: str,
        *,
        api_key: str | Callable[[], str] | None = None,
        base_url: str | None = None,
        backend: Literal["auto", "litellm", "direct"] | Backend = "auto",
        cache: Cache | bool = True,
        retry: Retry | None = DEFAULT_RETRY,
        limits: Limits | None = None,
        **params: Unpack[ModelParams],
    ) -> None:
        check_params(params)
        check_kinds(model=model, api_key=api_key, base_url=base_url, backend=backend)
        check_kinds(cache=cache, retry=retry, limits=limits)
        self.model = model
        self.backend = choose(model, backend=backend, base_url=base_url, api_key=api_key)
        opened(self.backend)
        self.params = params
        self.retry = retry
        self.limits = limits
        self.cache = cache
        immediate: bool = getattr(self.backend, "immediate", False)
        below: Handler = AttemptLayer(self.backend)
        if limits is not None and limits.concurrency is not None:
            below = LimitsLayer(below, Permits(limits.concurrency))
        if retry is not None:
            below = RetryLayer(below, retry)
        if not immediate:
            below = DeadlineLayer(below)
        self._cache_layer = CacheLayer(below, self._find_cache, self.backend.name, endpoint_of(self.backend))
        self._stack = TraceLayer(self._cache_layer)

    @override
    def __repr__(self) -> str:
        # A provider's own parameters may hold headers, and headers keys.
        params = "".join(f", {name}={'...' if name == 'extra' else repr(value)}" for name, value in self.params.items())
        return f"LM({self.model!r}, backend={self.backend.name!r}{params})"

    def __call__(self, prompt: str | Sequence[Message], **params: Unpack[ModelParams]) -> str:
        """The text of the reply.

        Raises:
            LMError: The model did not answer; `reason` says why.
        """
        return self.complete(prompt, **params).text

    def complete(self, request: Prompting, **params: Unpack[ModelParams]) -> Response:
        """The whole reply.

        Raises:
            LMError: The model did not answer; `reason` says why.
        """
        return run_sync(self.acomplete(request, **params))

    async def acomplete(self, request: Prompting, **params: Unpack[ModelParams]) -> Response:
        """The whole reply.

        Raises:
            LMError: The model did not answer; `reason` says why.
        """
        return await self._stack.complete(self._call(request, params))

    def stream(self, request: Prompting, **params: Unpack[ModelParams]) -> Iterator[StreamChunk]:
        """The reply, piece by piece, read no faster than it is taken.

        Raises:
            LMError: The stream broke, or never began; what came before it was already given out.
        """
        return iterate_sync(lambda: self.astream(request, **params))

    def astream(self, request: Prompting, **params: Unpack[ModelParams]) -> AsyncIterator[StreamChunk]:
        """The reply, piece by piece.

        Raises:
            LMError: The stream broke, or never began; what came before it was already given out.
        """
        return self._stack.stream(self._call(request, params))

    async def forget(self, request: Request) -> None:
        """Drop the reply to a request from the cache: one that could not be read must not be served again."""
        await self._cache_layer.forget(self._call(request, {}).request)

    def with_(self, **params: Unpack[ModelParams]) -> Self:
        """The same model with other parameters. It shares cache, limits and connections with this one."""
        check_params(params)
        made = copy(self)
        made.params = cast("ModelParams", {**self.params, **params})
        return made

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        close_backend(self.backend)

    async def aclose(self) -> None:
        """Close the connections; the next call opens new ones."""
        await aclose_backend(self.backend)

    @override
    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError(
            f"{self!r} cannot be pickled: it holds connections, locks and perhaps a key. Pickle the program with "
            "`lm=None` or a model name, and set the model where it is loaded."
        )

    def __copy__(self) -> Self:
        made = object.__new__(type(self))
        made.__dict__.update(self.__dict__)
        return made

    def __deepcopy__(self, memo: object) -> Self:
        # A model is a shared thing: a copied program goes on using the same one.
        return self

    def _call(self, asked: Prompting, params: ModelParams) -> Call:
        if not isinstance(asked, Request):
            asked = Request(self.model, messages_of(asked), _merged(self.params, params))
        elif self.params or params:
            merged = _merged(_merged(self.params, asked.params), params)
            asked = Request(asked.model, asked.messages, merged, asked.response_format, asked.tools)
        if params:
            check_params(params)
        timeout = asked.params.get("timeout")
        return Call(asked, settings.seconds("DSP_TIMEOUT", DEFAULT_TIMEOUT) if timeout is None else timeout)

    def _find_cache(self) -> Cache | None:
        if self.cache is True:
            return default_cache()
        return None if self.cache is False else self.cache


def default_cache() -> Cache | None:
    """The cache that the settings name: of the context, configured, or by `DSP_CACHE`."""
    chosen = cast("Cache | bool | None", settings.setting("cache"))  # checked by configure
    if chosen is None or chosen is True:
        return _process_cache()
    return None if chosen is False else chosen


_of_process: list[tuple[tuple[str, str], Cache | None]] = []
"""The cache that the environment asks for, after what it was asked for with; empty until the first call."""


def _process_cache() -> Cache | None:
    if not _of_process:
        asked = _asked_cache()
        _of_process.append((asked, _named_cache(*asked)))
    return _of_process[0][1]


def _asked_cache() -> tuple[str, str]:
    return settings.variable("DSP_CACHE") or "memory", settings.variable("DSP_CACHE_DIR") or "~/.cache/dsp"


def _named_cache(name: str, folder: str) -> Cache | None:
    match name:
        case "off":
            return None
        case "memory":
            return MemoryCache()
        case "disk":
            return DiskCache(folder)
        case _:
            raise SettingsError(f"DSP_CACHE={name!r} is no cache of this version: write DSP_CACHE=memory, disk or off.")


def _refresh() -> None:
    """Keep the replies unless the environment asks for another cache now."""
    if _of_process and _of_process[0][0] != _asked_cache():
        _of_process.clear()


settings.on_reset(_of_process.clear, _refresh)


def _merged(below: ModelParams, above: ModelParams) -> ModelParams:
    if not above:
        return below
    return cast("ModelParams", {**below, **above}) if below else above


PARAMS = frozenset(ModelParams.__annotations__)


def check_params(params: ModelParams) -> None:
    """Find what a type checker would have found.

    Raises:
        SettingsError: A parameter that there is not, with the nearest that there is.
    """
    for name in params:
        if name not in PARAMS:
            import difflib

            near = difflib.get_close_matches(name, PARAMS, n=1)
            hint = f"Did you mean `{near[0]}`?" if near else "A provider's own goes into `extra={...}`."
            raise SettingsError(f"There is no model parameter `{name}`. {hint}")
    check_values(params.get("timeout"), params.get("extra"))
