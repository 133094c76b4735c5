"""LiteLLM's exceptions as dsp's errors, by the same table as those of the direct connection."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, cast

from dsp.errors import BudgetExceeded, LMError, NotConfigured, UnsupportedProvider
from dsp.lm.backends import failures
from dsp.lm.backends.openai_wire import read_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import JsonValue

    from dsp.lm.backends.target import Target

__all__ = ["error_of"]

PREFIX = re.compile(r"^(?:litellm\.)?\w+(?:Error)?: (?:\w+: )?(?:\w+Exception - )?")
NETWORK = frozenset(("httpx", "httpcore", "aiohttp"))
CODES = {
    "ContextWindowExceededError": "context_length_exceeded",
    "ContentPolicyViolationError": "content_filter",
    "PaymentRequiredError": "insufficient_quota",
}


def error_of(error: Exception, target: Target, model: str, key: str | None, timeout: float | None) -> LMError:
    """The error to raise for one of LiteLLM's.

    LiteLLM says 500 for much that no server said: what happened is read from the exceptions below.
    """
    kind = type(error).__name__
    text = target.masked(PREFIX.sub("", str(error), count=1), key)
    below = list(_chain(error))
    if kind == "Timeout" or any(isinstance(each, TimeoutError) for each in below):
        return failures.timed_out(target, model, timeout)
    if kind == "BudgetExceededError":
        return BudgetExceeded(f"LiteLLM's budget is used up: {text}", model=model, provider=target.provider)
    if kind == "LiteLLMUnknownProvider" or "LLM Provider NOT provided" in text:
        return UnsupportedProvider(
            f"LiteLLM does not know the provider of {model!r}: {failures.excerpt(text)}",
            model=model,
            provider=target.provider,
        )
    if lacking := next((each for each in below if isinstance(each, ImportError)), None):
        return NotConfigured(
            f"LiteLLM needs a package for {model!r} that is not installed: {lacking}",
            model=model,
            provider=target.provider,
        )
    headers = _headers(below)
    if not headers and not any(_is_http(each) for each in below):
        if any(isinstance(each, OSError) or _is_network(each) for each in below):
            return failures.unreachable(target, model, target.url or target.provider, failures.excerpt(_deepest(below)))
        if kind in (
            "APIConnectionError",
            "APIError",
            "APIResponseValidationError",
            "InternalServerError",
            "ValueError",
        ):
            return failures.invalid(target, model, text, "LiteLLM could not read it.")
    status = getattr(error, "status_code", None)
    if status == 200:
        return failures.invalid(target, model, text, "LiteLLM could not read it.")
    refusal = failures.Refusal.of_body(
        status if isinstance(status, int) else 500, _body(below, target, key, text), text, headers
    )
    code = CODES.get(kind)
    if code is not None:
        refusal = failures.Refusal(refusal.status, refusal.message, refusal.codes | {code}, refusal.headers)
    return refusal.error(target, model)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _is_http(error: BaseException) -> bool:
    """Whether it stands for an answer of a server."""
    return type(error).__name__ == "HTTPStatusError" or (
        type(error).__module__.startswith("openai") and isinstance(getattr(error, "status_code", None), int)
    )


def _is_network(error: BaseException) -> bool:
    return type(error).__module__.partition(".")[0] in NETWORK or (
        type(error).__name__ == "APIConnectionError" and (type(error).__module__.startswith("openai"))
    )


def _deepest(below: list[BaseException]) -> str:
    last = next((each for each in reversed(below) if isinstance(each, OSError) or _is_network(each)), below[-1])
    return f"{type(last).__name__}: {last}"


def _headers(below: list[BaseException]) -> dict[str, str]:
    for each in below:
        for name in ("litellm_response_headers", "headers"):
            headers = getattr(each, name, None)
            if headers and hasattr(headers, "items"):
                items = cast("Mapping[object, object]", headers).items()  # a dict or httpx.Headers
                return {str(key).lower(): str(value) for key, value in items}
    return {}


def _body(below: list[BaseException], target: Target, key: str | None, text: str) -> JsonValue:
    """What the server said, as JSON."""
    for each in below:
        body = getattr(each, "body", None)
        if isinstance(body, dict):
            return read_json(target.masked(json.dumps(body, default=str), key).encode())
    start = text.find("{")
    try:
        return None if start < 0 else read_json(text[start:].encode("utf-8", "replace"))
    except ValueError:
        return None
