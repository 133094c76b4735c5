"""LiteLLM as a library: imported once, quietly, and seen through the few functions that dsp uses.

It is reached by name, so that no type checker has to read it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from dsp.bridge import ForkSafeLock

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Mapping

    from pydantic import JsonValue

__all__ = ["Library", "chunks", "load", "notes", "plain"]

FOR_IMPORT = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "LITELLM_LOCAL_BLOG_POSTS": "True",
}
"""Read tables from the package instead of fetching them."""
LOGGERS = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy")

_lock = ForkSafeLock()
_loaded: list[Library] = []


class Model(Protocol):
    """A Pydantic model of LiteLLM's."""

    def model_dump(self) -> dict[str, JsonValue]: ...


class Library:
    """What dsp uses of LiteLLM."""

    errors: tuple[type[Exception], ...]
    """What a call may raise."""

    def __init__(self, module: Any) -> None:  # Any: an untyped library, looked at by name
        self._module = module
        names = ("openai.OpenAIError", "httpx.HTTPError", "aiohttp.ClientError", "litellm.BudgetExceededError")
        found = (getattr(sys.modules.get(name.partition(".")[0]), name.partition(".")[2], None) for name in names)
        kinds = (kind for kind in found if isinstance(kind, type) and issubclass(kind, Exception))
        self.errors = (*kinds, OSError, TimeoutError, ValueError)

    def acompletion(self, **call: JsonValue) -> Awaitable[object]:
        """One request; a reply, or with `stream=True` an iterator of chunks."""
        return cast("Awaitable[object]", self._module.acompletion(**call))

    def supported(self, model: str) -> frozenset[str]:
        """The parameters that the model takes, by OpenAI's names; empty if that is not known."""
        try:
            names = self._module.get_supported_openai_params(model=model)
        except self.errors:
            return frozenset()
        names = frozenset(str(name) for name in names or ())
        return names | {"max_tokens", "max_completion_tokens"} if names else names

    def missing(self, model: str) -> list[str]:
        """Environment variables that the model's provider needs and that are not set."""
        return [str(name) for name in self._module.validate_environment(model=model)["missing_keys"]]

    def has_key(self, provider: str) -> bool:
        """Whether the program gave LiteLLM a key itself."""
        return any(getattr(self._module, name, None) for name in ("api_key", f"{provider}_key"))


async def load() -> Library:
    """LiteLLM; the first call imports it in a thread, which takes seconds."""
    if _loaded:
        return _loaded[0]
    return await asyncio.to_thread(_import)


def _import() -> Library:
    with _lock:
        if not _loaded:
            _loaded.append(Library(_quiet_import()))
        return _loaded[0]


def _quiet_import() -> Any:  # Any: a module without types
    known = "litellm" in sys.modules  # then the program uses LiteLLM itself, and its logging is the program's own
    for name, value in FOR_IMPORT.items():
        os.environ.setdefault(name, value)
    mode = os.environ.get("LITELLM_MODE")
    os.environ["LITELLM_MODE"] = mode or "PRODUCTION"  # in its other mode, the import reads `.env`
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module: Any = import_module("litellm")
            # Pydantic builds these two when they are first used, and warns of what LiteLLM wrote in them.
            module.ModelResponse()
            module.ModelResponseStream()
    finally:
        if mode is None:
            del os.environ["LITELLM_MODE"]
    module.suppress_debug_info = True
    for name in () if known else LOGGERS:
        logging.getLogger(name).handlers[:] = [logging.NullHandler()]
    return module


def plain(reply: object) -> dict[str, JsonValue]:
    """A reply or chunk as plain values in the protocol's shape."""
    values = cast("Model", reply).model_dump()  # LiteLLM's replies are Pydantic models of the protocol's shape
    choices = values.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        message = choice.get("message") if isinstance(choice, dict) else None
        if isinstance(message, dict) and "refusal" not in message:
            fields = message.get("provider_specific_fields")
            if isinstance(fields, dict) and "refusal" in fields:
                message["refusal"] = fields["refusal"]
    return values


def notes(reply: object) -> Mapping[str, JsonValue]:
    """What LiteLLM says beside a reply: cost and headers."""
    return cast("Mapping[str, JsonValue]", getattr(reply, "_hidden_params", {}))  # a dict of plain values


async def chunks(stream: object) -> AsyncGenerator[dict[str, JsonValue], None]:
    """The chunks of a stream as plain values; closes it at the end, and where it is left."""
    source = cast("AsyncIterator[object]", stream)  # what `acompletion(stream=True)` gives
    try:
        async for chunk in source:
            yield plain(chunk)
    finally:
        close = getattr(source, "aclose", None)
        if close is not None:
            await close()
