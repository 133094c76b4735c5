"""What reasoning models refuse is known before they are asked."""

from __future__ import annotations

import pytest

from dsp.lm.backends.reasoning import is_reasoning, refused
from dsp.messages import ModelParams


@pytest.mark.parametrize(
    "model",
    ["o1", "o1-mini", "o3", "o3-mini-2025-01-31", "openai/o4-mini", "gpt-5", "gpt-5-mini", "gpt-5.1", "azure/gpt-6"],
)
def test_reasoning_models(model: str) -> None:
    assert is_reasoning(model)


@pytest.mark.parametrize(
    "model",
    [
        "gpt-4o",
        "gpt-4.1-mini",
        "gpt-5-chat-latest",
        "gpt-5.1-chat-latest",
        "gpt-oss-120b",
        "olmo-2",
        "o",
        "phi-o3",
        "omni",
    ],
)
def test_models_that_take_everything(model: str) -> None:
    assert not is_reasoning(model)
    assert refused(model, ModelParams(temperature=0.0, top_p=0.5, stop=["x"])) == ()


@pytest.mark.parametrize(
    ("model", "params", "names"),
    [
        ("o3-mini", ModelParams(temperature=0.0), ("temperature",)),
        ("o3-mini", ModelParams(temperature=1), ()),
        ("o3-mini", ModelParams(temperature=1, top_p=0.1), ("top_p",)),
        ("o3-mini", ModelParams(max_tokens=10, seed=1, n=2, reasoning_effort="low"), ()),
        ("o1", ModelParams(stop=["x"]), ()),
        ("o3", ModelParams(stop=["x"]), ("stop",)),
        ("gpt-5", ModelParams(temperature=0.5, top_p=0.5, stop=["x"]), ("temperature", "top_p", "stop")),
        ("gpt-5.1", ModelParams(temperature=0.5, reasoning_effort="none"), ()),
        ("gpt-5.1", ModelParams(temperature=0.5, reasoning_effort="high"), ("temperature",)),
    ],
)
def test_what_each_refuses(model: str, params: ModelParams, names: tuple[str, ...]) -> None:
    assert refused(model, params) == names
