"""Which backend a model is reached through."""

from __future__ import annotations

import os
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Literal, TypeAlias

from dsp.errors import SettingsError, UnsupportedProvider
from dsp.lm.backends.target import OPENAI_URL, SERVERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from dsp.lm.backends.backend import Backend

__all__ = ["BackendName", "choose"]

BackendName: TypeAlias = Literal["auto", "litellm", "direct"]
NAMES = ("auto", "litellm", "direct")
EMBEDDED = "embedded"


def choose(
    model: str,
    *,
    backend: BackendName | Backend = "auto",
    base_url: str | None = None,
    api_key: str | Callable[[], str] | None = None,
) -> Backend:
    """The backend for a model. Nothing is connected, and no library but the chosen one's own is loaded.

    `auto` takes the direct connection for `openai/...` and for every `base_url`, and LiteLLM for all other providers;
    the model `embedded` is dsp's own. Without a `base_url`, `openai/...` goes to the address in `OPENAI_BASE_URL` if
    there is one. On a direct connection, a `base_url` server gets the key given here, never the one from the
    environment.

    The server of a direct connection is told the model without its first word if that names a kind of server
    (`openai/`, `hosted_vllm/`, `ollama/`, `lm_studio/`, ...); any other name arrives whole, as servers expect that
    themselves choose by it (`meta-llama/Llama-3.1-8B`, `anthropic/claude-...` on a proxy).

    Raises:
        UnsupportedProvider: The model names no provider, or one that nobody knows.
        SettingsError: Settings that do not go together.
    """
    if not isinstance(backend, str):
        if base_url is not None or api_key is not None:
            raise SettingsError(
                f"backend={backend!r} has its own address and key: leave out base_url and api_key, or name the backend "
                f"by a word ({', '.join(NAMES)})."
            )
        return backend
    if backend not in NAMES:
        raise SettingsError(
            f"backend={backend!r} is unknown: it is one of {', '.join(NAMES)}, or an object of your own."
        )
    if model == EMBEDDED and base_url is None:
        if backend != "auto":
            raise SettingsError(
                f"{EMBEDDED!r} is dsp's own model: write dsp.LM({EMBEDDED!r}) without backend={backend!r}."
            )
        from dsp.lm.backends.embedded import EmbeddedBackend

        return EmbeddedBackend()
    provider, slash, name = model.partition("/")
    if base_url is None and not (slash and provider and name):
        raise UnsupportedProvider(_no_provider(model), model=model)
    if backend == "direct" or (backend == "auto" and (base_url is not None or provider == "openai")):
        return _direct(model, provider if slash else "openai", base_url, api_key)
    if base_url is None:
        _check(model, provider)
    from dsp.lm.backends.litellm import LiteLLMBackend

    return LiteLLMBackend(base_url=base_url, api_key=api_key)


def _direct(model: str, provider: str, base_url: str | None, api_key: str | Callable[[], str] | None) -> Backend:
    if base_url is not None:
        return _make_direct(base_url, api_key=api_key, provider=provider if provider in SERVERS else "openai")
    if provider != "openai":
        raise SettingsError(
            f"backend='direct' does not know where {provider!r} is: write dsp.LM({model!r}, backend='direct', base_url=...), "
            f"or leave out `backend`."
        )
    address = os.environ.get("OPENAI_BASE_URL", "").strip() or OPENAI_URL
    # Both come from the environment of one person, so the key may go to that address.
    return _make_direct(address, api_key=api_key, key_variable=None if api_key is not None else "OPENAI_API_KEY")


def _make_direct(base_url: str, **settings: object) -> Backend:
    # Loaded by name, so that a user's type checker does not follow dsp into aiohttp.
    made: Backend = import_module("dsp.lm.backends.direct").DirectBackend(base_url, **settings)
    return made


def _check(model: str, provider: str) -> None:
    from dsp.lm.backends.catalogue import providers

    known = providers()
    if known and provider not in known:
        near = get_close_matches(provider, [*known, EMBEDDED], n=3, cutoff=0.6)
        hint = (
            f"Is it {' or '.join(f'{name}/...' for name in near)}?"
            if near
            else "Write 'openai/gpt-4o-mini' or the like."
        )
        raise UnsupportedProvider(
            f"No backend knows the provider {provider!r} of {model!r}. {hint} For a server of your own, pass `base_url=`.",
            model=model,
            provider=provider,
        )


def _no_provider(model: str) -> str:
    from dsp.lm.backends.catalogue import listed

    entry = None if "/" in model else listed(model)
    provider = entry.provider if entry is not None and "/" not in entry.provider else None
    hint = (
        f"write {f'{provider}/{model}'!r}"
        if provider and model
        else "write 'provider/model', as in 'openai/gpt-4o-mini'"
    )
    if get_close_matches(model, [EMBEDDED], cutoff=0.8):
        hint = f"write {EMBEDDED!r}"
    return f"The model {model!r} names no provider: {hint}. For a server of your own, pass `base_url=`."
