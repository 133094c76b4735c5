"""Which backend serves which model, and what is said of models that none serves."""

from __future__ import annotations

import pytest

from dsp.errors import SettingsError, UnsupportedProvider
from dsp.lm.backends.choose import choose
from dsp.lm.backends.direct import DirectBackend
from dsp.lm.backends.embedded import EmbeddedBackend
from dsp.lm.backends.litellm import LiteLLMBackend
from dsp.lm.backends.target import OPENAI_URL
from dsp.testing.server import OpenAIServer


@pytest.fixture(autouse=True)
def no_address(monkeypatch):
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.mark.parametrize(
    ("model", "settings", "kind", "endpoint"),
    [
        ("openai/gpt-4o", {}, DirectBackend, OPENAI_URL),
        ("openai/gpt-4o", {"backend": "direct"}, DirectBackend, OPENAI_URL),
        ("openai/gpt-4o", {"backend": "litellm"}, LiteLLMBackend, ""),
        ("anthropic/claude-sonnet-4-5", {}, LiteLLMBackend, ""),
        ("openrouter/meta-llama/llama-3", {}, LiteLLMBackend, ""),
        ("hosted_vllm/x", {"base_url": "http://127.0.0.1:1/v1"}, DirectBackend, "http://127.0.0.1:1/v1"),
        ("a-model-of-my-own", {"base_url": "http://127.0.0.1:1/v1"}, DirectBackend, "http://127.0.0.1:1/v1"),
        ("anyone/model", {"base_url": "http://127.0.0.1:1/v1"}, DirectBackend, "http://127.0.0.1:1/v1"),
        ("x/y", {"base_url": "http://127.0.0.1:1/v1", "backend": "litellm"}, LiteLLMBackend, "http://127.0.0.1:1/v1"),
    ],
)
def test_auto_and_by_name(model, settings, kind, endpoint):
    backend = choose(model, **settings)
    assert type(backend) is kind
    assert backend.endpoint == endpoint


def test_the_embedded_model_needs_no_provider():
    assert type(choose("embedded")) is EmbeddedBackend
    with pytest.raises(SettingsError, match="own model"):
        choose("embedded", backend="litellm")


def test_a_server_may_call_its_model_embedded():
    assert type(choose("embedded", base_url="http://127.0.0.1:1/v1")) is DirectBackend


def test_openai_honours_the_address_of_the_environment(monkeypatch, ask):
    with OpenAIServer() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "from-the-environment")
        backend = choose("openai/gpt-4o")
        assert ask.complete(backend, "openai/gpt-4o").text == "ok"
        assert server.requests[0].headers["authorization"] == "Bearer from-the-environment"
        assert server.requests[0].body["model"] == "gpt-4o"


def test_a_backend_of_ones_own_is_taken_as_it_is():
    own = DirectBackend("http://127.0.0.1:1/v1")
    assert choose("whatever", backend=own) is own
    with pytest.raises(SettingsError, match="base_url"):
        choose("whatever", backend=own, base_url="http://127.0.0.1:2/v1")


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        ("opneai/gpt-4o", "openai/"),
        ("antropic/claude", "anthropic/"),
        ("nobody-knows-this/x", "base_url="),
        ("gpt-4o-mini", "'openai/gpt-4o-mini'"),
        ("claude-sonnet-4-5", "'anthropic/claude-sonnet-4-5'"),
        ("my-own-model", "provider/model"),
        ("embeded", "'embedded'"),
        ("", "provider/model"),
        ("openai/", "provider/model"),
        ("/gpt-4o", "provider/model"),
    ],
)
def test_an_unknown_provider_is_refused_at_once_with_the_nearest(model, hint):
    with pytest.raises(UnsupportedProvider) as caught:
        choose(model)
    assert hint in str(caught.value)
    assert caught.value.reason == "unsupported_provider"


@pytest.mark.parametrize(
    ("settings", "hint"),
    [({"backend": "http"}, "litellm"), ({"backend": "direct"}, "base_url=")],
)
def test_settings_that_do_not_go_together(settings, hint):
    with pytest.raises(SettingsError, match=hint):
        choose("anthropic/claude-sonnet-4-5", **settings)
