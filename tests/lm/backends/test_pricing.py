"""Costs from the price table of the installed LiteLLM."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dsp.lm.backends.catalogue import Listed, listed, providers
from dsp.lm.backends.pricing import cost_of
from dsp.usage import Usage


def test_tokens_are_priced_by_their_kind() -> None:
    entry = listed("gpt-4o-mini")
    assert entry is not None
    read, written = entry.prices["input_cost_per_token"], entry.prices["output_cost_per_token"]
    cached = entry.prices["cache_read_input_token_cost"]
    assert cost_of("gpt-4o-mini", Usage(1000, 100)) == pytest.approx(1000 * read + 100 * written)
    assert cost_of("gpt-4o-mini", Usage(1000, 100, 40, 600)) == pytest.approx(400 * read + 600 * cached + 100 * written)


def test_a_name_with_its_provider_costs_the_same() -> None:
    assert cost_of("openai/gpt-4o-mini", Usage(10, 10)) == cost_of("gpt-4o-mini", Usage(10, 10))


def test_an_unknown_price_is_none_and_never_zero() -> None:
    assert cost_of("openai/a-model-of-next-year", Usage(10, 10)) is None
    assert cost_of("", Usage(10, 10)) is None


def test_a_model_without_a_price_for_one_side_has_no_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dsp.lm.backends.pricing.listed", lambda _: Listed("x", {"input_cost_per_token": 1.0}, None))
    assert cost_of("x", Usage(1, 1)) is None


def test_thinking_long_prompts_and_tiers_have_their_own_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    prices = {
        "input_cost_per_token": 1.0,
        "input_cost_per_token_above_200k_tokens": 3.0,
        "input_cost_per_token_flex": 0.5,
        "output_cost_per_token": 2.0,
        "output_cost_per_reasoning_token": 5.0,
    }
    monkeypatch.setattr("dsp.lm.backends.pricing.listed", lambda _: Listed("x", prices, None))
    assert cost_of("x", Usage(10, 10, 4)) == 10 * 1 + 6 * 2 + 4 * 5
    assert cost_of("x", Usage(200_000, 0)) == 200_000
    assert cost_of("x", Usage(200_001, 1)) == 200_001 * 3 + 2
    assert cost_of("x", Usage(10, 10), tier="flex") == 10 * 0.5 + 10 * 2
    assert cost_of("x", Usage(10, 10), tier="default") == 10 + 20


def test_known_providers_hold_the_common_ones() -> None:
    assert {"openai", "anthropic", "gemini", "groq", "ollama", "hosted_vllm", "openrouter", "bedrock"} <= providers()
    assert "opneai" not in providers()


def test_the_table_is_read_without_importing_litellm() -> None:
    code = (
        "import sys; from dsp.lm.backends.pricing import cost_of; from dsp.usage import Usage;"
        "assert cost_of('gpt-4o-mini', Usage(1, 1)) is not None; assert 'litellm' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
