"""LiteLLM: what is its own, beside what test_both.py holds of both."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap

import pytest

from dsp import errors
from dsp.lm.backends.backend import Backend
from dsp.lm.backends.direct import DirectBackend
from dsp.lm.backends.litellm import LiteLLMBackend
from dsp.lm.backends.litellm_library import _import
from dsp.messages import Usage
from dsp.testing.server import Completion, Failure, OpenAIServer

pytestmark = pytest.mark.filterwarnings(
    "ignore:Accessing the 'model_.*fields' attribute on the instance is deprecated:DeprecationWarning"
)


def test_it_is_a_backend_and_its_repr_has_no_key(ask):
    backend = LiteLLMBackend(api_key=ask.key)
    assert isinstance(backend, Backend)
    assert (backend.name, backend.endpoint, repr(backend)) == ("litellm", "", "LiteLLMBackend()")


@pytest.mark.parametrize(
    ("base_url", "shown"),
    [
        ("http://host:4000/v1", "http://host:4000/v1"),
        ("http://user:password@host:4000/v1", "http://***@host:4000/v1"),
        ("http://user:p@ss@host/v1", "http://***@host/v1"),
        ("http://host/v1?mail=a@b", "http://host/v1?mail=a@b"),
    ],
)
def test_its_repr_has_no_password_of_the_address(base_url, shown):
    assert repr(LiteLLMBackend(base_url=base_url)) == f"LiteLLMBackend(base_url={shown!r})"


@pytest.mark.parametrize(
    ("model", "variable"),
    [
        ("openai/gpt-4o-mini", "OPENAI_API_KEY"),
        ("anthropic/claude-sonnet-4-5", "ANTHROPIC_API_KEY"),
        ("gemini/gemini-2.5-flash", "GEMINI_API_KEY"),
        ("groq/llama-3.1-8b-instant", "GROQ_API_KEY"),
    ],
)
def test_a_missing_key_names_its_variable_before_anything_is_sent(ask, monkeypatch, model, variable):
    monkeypatch.delenv(variable, raising=False)
    with pytest.raises(errors.NotConfigured, match=variable):
        ask.complete(LiteLLMBackend(), model)
    with pytest.raises(errors.NotConfigured, match=variable):
        ask.stream(LiteLLMBackend(), model)


@pytest.mark.parametrize("model", ["hosted_vllm/x", "groq/llama-3.1-8b-instant", "deepseek/deepseek-chat"])
@pytest.mark.parametrize("status", [429, 500])
def test_other_providers_are_asked_once_too(ask, model, status):
    with OpenAIServer(Failure(status)) as server:
        with pytest.raises(errors.LMError) as caught:
            ask.complete(LiteLLMBackend(base_url=server.base_url, api_key="k"), model)
        assert server.count == 1
    assert caught.value.status == status
    assert caught.value.provider == model.partition("/")[0]


def test_a_parameter_that_a_provider_does_not_take_is_left_out_and_listed(ask):
    backend = LiteLLMBackend()
    library = _import()
    call, dropped = backend._call(
        library, ask.request("anthropic/claude-sonnet-4-5", temperature=0.0, seed=1, n=2, max_tokens=9), None
    )
    assert dropped == ("seed", "n")
    assert (call["temperature"], call["max_tokens"]) == (0.0, 9)
    assert (call["max_retries"], call["num_retries"]) == (0, 0)
    assert "seed" not in call


def test_the_cost_is_the_same_as_that_of_a_direct_connection(ask, monkeypatch):
    usage = Usage(1000, 500, 0, 200)
    with OpenAIServer(Completion("x", usage=usage)) as server:
        direct = DirectBackend(server.base_url)
        monkeypatch.setattr(direct, "_priced", True)
        expected = ask.complete(direct).cost
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        through = LiteLLMBackend()
        response = ask.complete(through)
        pieces = ask.stream(through)
        assert server.count == 3
        unknown = ask.complete(through, "openai/a-model-of-next-year")
    assert expected is not None
    assert response.cost == pytest.approx(expected)
    assert pieces[-2].cost == pytest.approx(expected)
    assert unknown.cost is None


def test_a_server_of_ones_own_is_not_given_the_environments_key(ask, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "from-the-environment")
    with OpenAIServer() as server:
        ask.complete(LiteLLMBackend(base_url=server.base_url))
        assert "from-the-environment" not in str(server.requests[0].headers)


def test_it_works_from_loop_after_loop_and_from_many_tasks_at_once(ask):
    async def many(backend):
        return [reply.text for reply in await asyncio.gather(*(backend.complete(ask.request()) for _ in range(20)))]

    with OpenAIServer("well") as server:
        backend = LiteLLMBackend(base_url=server.base_url, api_key="k")
        for _ in range(3):
            assert asyncio.run(many(backend)) == ["well"] * 20


SCRIPT = """
import asyncio, sys, threading
from dsp.errors import LMError
from dsp.lm.backends.litellm import LiteLLMBackend
from dsp.messages import *
from dsp.testing.server import Failure, OpenAIServer
assert 'litellm' not in sys.modules
def ask(model):
    try:
        asyncio.run(LiteLLMBackend(base_url=server.base_url, api_key='k').complete(Request(model, (Message('user', 'x'),))))
    except LMError as error:
        assert error.status == 500, error
server = OpenAIServer(["x", "y", Failure(500)]).start()
threads = [threading.Thread(target=ask, args=(model,)) for model in ["openai/gpt-4o", "hosted_vllm/x"] * 4]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert server.count == 8
async def part():
    async for piece in LiteLLMBackend(base_url=server.base_url, api_key='k').stream(Request('openai/x', (Message('user', 'x'),))):
        break
try:
    asyncio.run(part())
except LMError:
    pass
server.stop()
import litellm
print(litellm.suppress_debug_info)
"""


def test_nothing_is_printed_and_nothing_is_read_or_fetched(tmp_path):
    # `.env` would be read by LiteLLM's import, and the proxy would be asked by anything that is fetched.
    (tmp_path / ".env").write_text("FROM_DOT_ENV=1\n")
    code = SCRIPT + textwrap.dedent("""
        import os
        assert 'FROM_DOT_ENV' not in os.environ
        assert 'LITELLM_MODE' not in os.environ
    """)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, timeout=50, check=False
    )
    assert done.stderr == ""
    assert done.stdout == "True\n"
    assert done.returncode == 0
