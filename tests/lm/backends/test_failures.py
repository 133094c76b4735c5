"""How long to wait, and what an error's body means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsp.errors import (
    APIError,
    Authentication,
    ContentFiltered,
    ContextWindowExceeded,
    LMError,
    QuotaExceeded,
    RateLimited,
    ServerError,
    Timeout,
)
from dsp.lm.backends.failures import Refusal, retry_after
from dsp.lm.backends.target import Target

TARGET = Target("openai", "http://127.0.0.1/v1", key_variable="OPENAI_API_KEY")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "5"}, 5.0),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
    ],
)
def test_waits(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_a_date_is_seconds_from_now() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert retry_after({"retry-after": date}) == pytest.approx(60, abs=2)


@given(st.text())
def test_no_header_can_break_the_reader(text: str) -> None:
    seconds = retry_after({"retry-after": text})
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": {"message": "m", "code": "context_length_exceeded"}}, ContextWindowExceeded),
        (400, {"error": {"message": "This model's maximum context length is 8192 tokens"}}, ContextWindowExceeded),
        (400, [{"error": {"message": "prompt is too long: 9 tokens > 8"}}], ContextWindowExceeded),
        (400, {"error": {"message": "m", "code": "content_filter"}}, ContentFiltered),
        (400, {"error": {"message": "m", "innererror": {"code": "ResponsibleAIPolicyViolation"}}}, ContentFiltered),
        (400, {"error": {"message": "bad"}}, APIError),
        (401, {"error": "who are you"}, Authentication),
        (402, {"detail": "pay"}, QuotaExceeded),
        (403, None, Authentication),
        (404, {"message": "no such model"}, APIError),
        (408, None, Timeout),
        (422, {"detail": [{"loc": ["body"]}]}, APIError),
        (429, {"error": {"message": "slow down", "type": "requests"}}, RateLimited),
        (429, {"error": {"message": "m", "type": "insufficient_quota"}}, QuotaExceeded),
        (429, {"error": {"message": "m", "code": "billing_hard_limit_reached"}}, QuotaExceeded),
        (500, None, ServerError),
        (503, {"error": None}, ServerError),
        (529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, ServerError),
        (302, None, APIError),
    ],
)
def test_the_table(status: int, body: object, kind: type[LMError]) -> None:
    refusal = Refusal.of_body(status, body, "the text of the body", {"retry-after": "2"})  # type: ignore[arg-type]
    error = refusal.error(TARGET, "openai/gpt-4o")
    assert type(error) is kind
    assert (error.status, error.model, error.provider, error.retry_after) == (status, "openai/gpt-4o", "openai", 2.0)
    assert "gpt-4o" in str(error)
    assert str(status) in str(error)


def test_a_refused_key_names_its_variable() -> None:
    assert "OPENAI_API_KEY" in str(Refusal(401, "no").error(TARGET, "openai/gpt-4o"))
