"""Values of a wrong kind are named where they are given; what may hold a key is not shown."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import JsonValue

import dsp
from dsp.testing import ScriptedLM

KEY = "Bearer sk-secret"
HEADERS: dict[str, JsonValue] = {"extra_headers": {"Authorization": KEY}}


class TestArgumentsOfAModel:
    @pytest.mark.parametrize(
        ("wrong", "hint"),
        [
            ({"model": None}, "model=None.*'provider/model'"),
            ({"model": dsp.LM}, r"model=.*'provider/model'"),
            ({"limits": 3}, r"limits=3.*dsp\.Limits\(concurrency=3\)"),
            ({"limits": dsp.Limits}, r"Did you mean `Limits\(\.\.\.\)`"),
            ({"cache": "disk"}, r"cache='disk'.*dsp\.MemoryCache\(\)"),
            ({"cache": None}, "True, False or a cache"),
            ({"cache": dsp.MemoryCache}, r"Did you mean `MemoryCache\(\.\.\.\)`"),
            ({"retry": 3}, r"retry=3.*dsp\.Retry\(attempts=3\)"),
            ({"retry": dsp.Retry}, r"Did you mean `Retry\(\.\.\.\)`"),
            ({"base_url": 8000}, "base_url=8000.*http://localhost"),
            ({"api_key": 5}, "api_key=int.*a function that returns one"),
            ({"backend": object()}, "methods of `dsp.Backend`"),
            ({"timeout": "5"}, "timeout='5'.*seconds above 0"),
            ({"timeout": True}, "timeout=True"),
            ({"timeout": float("nan")}, "timeout=nan"),
            ({"extra": "top_k"}, "extra='top_k'.*write extra="),
        ],
    )
    def test_a_wrong_kind_says_what_to_pass(self, wrong: dict[str, Any], hint: str) -> None:
        with pytest.raises(dsp.SettingsError, match=hint):
            dsp.LM(**{"model": "embedded", **wrong})

    def test_what_is_given_with_a_call_is_looked_at_too(self) -> None:
        lm = ScriptedLM(["a"])
        with pytest.raises(dsp.SettingsError, match="timeout='5'"):
            lm("?", timeout="5")  # type: ignore[arg-type]
        with pytest.raises(dsp.SettingsError, match="timeout='5'"):
            lm.with_(timeout="5")  # type: ignore[arg-type]
        assert lm.requests == []

    def test_a_key_of_a_wrong_kind_is_not_repeated(self) -> None:
        with pytest.raises(dsp.SettingsError, match="api_key=bytes") as caught:
            dsp.LM("openai/gpt-4o-mini", api_key=b"sk-secret")  # type: ignore[arg-type]
        assert "sk-secret" not in str(caught.value)


class TestRetries:
    @pytest.mark.parametrize(
        ("name", "value", "hint"),
        [
            ("attempts", "4", r"attempts='4'.*whole number.*Retry\(attempts=1\)"),
            ("attempts", 2.5, "whole number"),
            ("attempts", True, "whole number"),
            ("attempts", None, "whole number"),
            ("base", "1", "finite number"),
            ("factor", float("inf"), "finite number"),
            ("cap", float("nan"), "finite number"),
            ("deadline", "60", "finite number"),
            ("deadline", -1, "below 0"),
        ],
    )
    def test_a_wrong_kind_is_named(self, name: str, value: Any, hint: str) -> None:
        with pytest.raises(dsp.SettingsError, match=rf"Retry\({name}=.*{hint.partition('=')[2] or hint}"):
            dsp.Retry(**{name: value})

    @pytest.mark.parametrize("failed", [1_000, 2_000, 100_000])
    @pytest.mark.parametrize(("policy", "longest"), [(dsp.Retry(cap=3.0), 3.0), (dsp.Retry(base=0.0), 0.0)])
    def test_the_wait_keeps_to_its_cap_however_often_it_failed(
        self, policy: dsp.Retry, longest: float, failed: int
    ) -> None:
        assert 0 <= policy.wait(failed, dsp.Timeout("slow")) <= longest

    def test_thousands_of_failures_end_with_the_last_one(self) -> None:
        lm = ScriptedLM([dsp.ServerError("down")] * 2_000, retry=dsp.Retry(attempts=2_000, base=1e-300, cap=0.0))
        with pytest.raises(dsp.ServerError):
            lm("?")
        assert len(lm.requests) == 2_000


class TestSecrets:
    def test_the_repr_of_a_model_shows_no_value_of_extra(self) -> None:
        lm = ScriptedLM([], temperature=0.5, extra=HEADERS)
        assert repr(lm) == "LM('scripted/model', backend='scripted', temperature=0.5, extra=...)"

    def test_inspecting_the_history_shows_none_either(self, capsys: pytest.CaptureFixture[str]) -> None:
        ScriptedLM(["fine"], extra=HEADERS)("hello")
        dsp.inspect_history()
        shown = capsys.readouterr().out
        assert "hello" in shown
        assert "secret" not in shown
