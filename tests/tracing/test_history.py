"""What is remembered of a call, and how it is shown."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from pydantic import BaseModel
from rich.console import Console

import dsp
from dsp.testing import ScriptedLM
from dsp.tracing.show import show


class Text(BaseModel):
    text: str = ""


def test_an_entry_tells_all_of_a_call() -> None:
    lm = ScriptedLM([TimeoutError("slow"), dsp.Response.of_text("hi", usage=dsp.Usage(3, 2))])
    before = datetime.now(UTC)
    lm.complete("hello", temperature=0.5)
    (entry,) = dsp.history(1)
    assert before <= entry.at <= datetime.now(UTC)
    assert (entry.program, entry.parent_id, entry.model, entry.provider) == ("", None, "scripted/model", "scripted")
    assert (entry.request.messages[0].text, entry.request.params) == ("hello", {"temperature": 0.5})
    assert entry.response is not None
    assert entry.response.text == "hi"
    assert (entry.usage, entry.cost, entry.cache, entry.error) == (dsp.Usage(3, 2), None, "off", None)
    assert [attempt.error.reason if attempt.error else None for attempt in entry.attempts] == ["timeout", None]
    assert entry.latency >= sum(attempt.latency for attempt in entry.attempts) > 0


def test_a_failed_call_is_remembered_with_its_reason() -> None:
    with pytest.raises(dsp.RateLimited) as caught:
        ScriptedLM([dsp.RateLimited("slow down", status=429)], retry=None)("hello")
    (entry,) = dsp.history(1)
    assert entry.error is not None
    assert (entry.error.reason, entry.error.message, entry.error.status) == ("rate_limited", "slow down", 429)
    assert entry.response is None
    assert caught.value.calls == (entry,)
    assert caught.value.model == "scripted/model"


def test_ids_are_unique() -> None:
    lm = ScriptedLM(["x"] * 50)
    for _ in range(50):
        lm("?")
    assert len({entry.id for entry in dsp.history(50)}) == 50


def test_history_is_bounded() -> None:
    lm = ScriptedLM(["x"] * 150)
    for number in range(150):
        lm(str(number))
    assert [entry.request.messages[0].text for entry in dsp.history()] == [str(number) for number in range(50, 150)]


def shown(*entries: dsp.HistoryEntry) -> str:
    out = io.StringIO()
    show(entries, Console(file=out, width=100, highlight=False))
    return out.getvalue()


def test_calls_are_shown_as_a_person_reads_them() -> None:
    reply = dsp.Response((dsp.ThinkingPart("hm"), dsp.TextPart("[[ ## text ## ]]\nParis [bold]")), dsp.Usage(3, 2), 0.5)
    dsp.Predict[Text, Text]("Answer.", lm=ScriptedLM([reply]))(Text(text="Where?"))
    text = shown(*dsp.history(1))
    for part in ("Predict[Text, Text] → scripted/model", "system", "Answer.", "Where?", "hm", "Paris [bold]"):
        assert part in text
    assert "5 tokens · $0.500000" in text


def test_failures_hits_and_nothing_are_shown_too() -> None:
    assert "No model has been called" in shown()
    with pytest.raises(dsp.RateLimited):
        ScriptedLM([dsp.RateLimited("slow down")], retry=None)("hello")
    assert "rate_limited: slow down" in shown(*dsp.history(1))
    lm = ScriptedLM(["x"], cache=dsp.MemoryCache())
    lm("?")
    lm("?")
    assert "from the cache" in shown(*dsp.history(1))


def test_inspecting_prints_the_last_call(capsys: pytest.CaptureFixture[str]) -> None:
    ScriptedLM(["the reply"])("the question")
    dsp.inspect_history()
    out = capsys.readouterr().out
    assert "the question" in out
    assert "the reply" in out


def test_a_key_appears_nowhere() -> None:
    secret = "sk-very-secret"
    lm = dsp.LM("openai/gpt-4o-mini", api_key=secret, base_url="http://127.0.0.1:9", retry=None)
    with pytest.raises(dsp.NetworkError) as caught:
        lm("hello")
    (entry,) = dsp.history(1)
    for text in (repr(lm), repr(lm.backend), repr(caught.value), str(caught.value), repr(entry), shown(entry)):
        assert secret not in text
