"""One table from what a provider says to the error that dsp raises, the same for every backend."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import TYPE_CHECKING

from dsp.errors import (
    APIError,
    Authentication,
    ContentFiltered,
    ContextWindowExceeded,
    InvalidResponse,
    LMError,
    NetworkError,
    QuotaExceeded,
    RateLimited,
    ServerError,
    Timeout,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

    from dsp.lm.backends.target import Target

__all__ = ["Refusal", "invalid", "retry_after", "timed_out", "unreachable"]

SHOWN = 200
"""Characters of a foreign page that a message shows."""
TOLD = 500
"""Characters of a provider's own message that a message repeats."""

QUOTA = frozenset(
    (
        "insufficient_quota",
        "billing_hard_limit_reached",
        "billing_not_active",
        "insufficient_user_quota",
        "credit_exhausted",
    )
)
CONTEXT = frozenset(("context_length_exceeded", "context_window_exceeded", "exceed_context_size_error"))
FILTER = frozenset(("content_filter", "content_policy_violation", "responsibleaipolicyviolation", "content_filtered"))
TOO_LONG = re.compile(
    r"maximum context length|context (?:window|length|size)|prompt is too long|too many (?:input )?tokens"
    r"|input is too long|exceeds the (?:maximum|available) (?:number of tokens|context)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Refusal:
    """An answer that is an error: what a provider said instead of a completion."""

    status: int
    message: str
    codes: frozenset[str] = frozenset()
    """`code` and `type` of the error, in lower case."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Names in lower case."""

    @classmethod
    def of_body(cls, status: int, body: JsonValue, text: str, headers: Mapping[str, str]) -> Refusal:
        """Reads the shapes in which servers put errors.

        Args:
            status: The HTTP status.
            body: The body as JSON, None if it is none.
            text: The body as text, for when its shape is unknown.
            headers: The response's headers, names in lower case.
        """
        if isinstance(body, list) and body:
            body = body[0]
        message: JsonValue = None
        codes: set[str] = set()
        if isinstance(body, dict):
            error = body.get("error", body)
            if isinstance(error, dict):
                message = error.get("message") or error.get("detail")
                codes = {str(error[key]).lower() for key in ("code", "type") if isinstance(error.get(key), str | int)}
                inner = error.get("innererror")
                if isinstance(inner, dict) and isinstance(inner.get("code"), str):
                    codes.add(str(inner["code"]).lower())
            else:
                message = error
        said = message if isinstance(message, str) and message.strip() else excerpt(text, TOLD)
        return cls(status, said[:TOLD] or "no message", frozenset(codes), headers)

    def error(self, target: Target, model: str) -> LMError:
        """The error to raise."""
        wait = retry_after(self.headers)
        kind, way_out = self._kind(target, model)
        place = "" if target.url is None else f" at {target.url}"
        message = f"{target.provider}{place} answered {self.status} for {model!r}: {self.message}"
        return kind(
            message + (f" ({way_out})" if way_out else ""),
            model=model,
            provider=target.provider,
            status=self.status,
            retry_after=wait,
        )

    def _kind(self, target: Target, model: str) -> tuple[type[LMError], str]:
        status = self.status
        if self.codes & QUOTA or status == 402:
            return QuotaExceeded, "the account has nothing left: waiting does not help, check its plan and billing"
        if self.codes & CONTEXT or (status in (400, 413, 422) and TOO_LONG.search(self.message)):
            return ContextWindowExceeded, "shorten the input, use fewer demos, or take a model that reads more"
        if self.codes & FILTER:
            return ContentFiltered, "the provider's filter stopped it: change what is asked"
        if status in (401, 403):
            return Authentication, target.where_keys_are
        if status == 404:
            return (
                APIError,
                f"is {model!r} spelt as the provider spells it, and does the address end in /v1 or the like?",
            )
        if status == 408:
            return Timeout, "the server gave up waiting: raise `timeout`, or ask for less"
        if status == 429:
            return RateLimited, "set fewer calls at once, or let retries wait longer"
        if status >= 500:
            return ServerError, "the fault is on the provider's side: try again later, or take another model"
        if 300 <= status < 400:
            return (
                APIError,
                f"the server moved to {self.headers.get('location', 'another address')}: use that as `base_url`",
            )
        return APIError, ""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a provider asked to wait: `retry-after-ms`, or `Retry-After` as seconds or as a date.

    Example:
        >>> retry_after({"retry-after": "2.5"}), retry_after({"retry-after-ms": "300"}), retry_after({})
        (2.5, 0.3, None)
    """
    if (milliseconds := _number(headers.get("retry-after-ms"))) is not None:
        return max(0.0, milliseconds / 1000)
    text = headers.get("retry-after")
    if text is None:
        return None
    if (seconds := _number(text)) is not None:
        return max(0.0, seconds)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0.0, (date - datetime.now(UTC)).total_seconds())


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if isfinite(number) else None


def invalid(target: Target, model: str, text: str, why: str, *, status: int = 200) -> InvalidResponse:
    """Something came back that is no completion."""
    return InvalidResponse(
        f"{target.url or target.provider} answered {status}, and the answer is no chat completion: {why} It begins with "
        f"{excerpt(text)!r}. Is this the address of an OpenAI-compatible API (it usually ends in /v1)?",
        model=model,
        provider=target.provider,
        status=status,
    )


def timed_out(target: Target, model: str, seconds: float | None) -> Timeout:
    """No answer in time."""
    within = "in time" if seconds is None else f"within {seconds:g} s"
    return Timeout(
        f"No answer for {model!r} from {target.url or target.provider} {within}: raise `timeout`, ask for less, or look "
        f"whether the server is well.",
        model=model,
        provider=target.provider,
    )


def unreachable(target: Target, model: str, place: str, why: str) -> NetworkError:
    """No connection, or one that broke."""
    return NetworkError(
        f"No answer for {model!r}: {place}: {why.rstrip('.')}. Check the address, the network, and whether the server runs.",
        model=model,
        provider=target.provider,
    )


def excerpt(text: str, length: int = SHOWN) -> str:
    """The beginning of a text, on one line."""
    return " ".join(text[: 4 * length].split())[:length]
