"""The direct connection: what is its own, beside what test_both.py holds of both."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import textwrap
import threading

import pytest

from dsp import errors
from dsp.lm import LM
from dsp.lm.backends.backend import Backend
from dsp.lm.backends.direct import DirectBackend
from dsp.lm.backends.target import OPENAI_URL, wire_name
from dsp.messages import FinishChunk, Message, RefusalChunk, Request, TextChunk, Usage, UsageChunk
from dsp.testing.server import Broken, Completion, Failure, OpenAIServer


def test_it_is_a_backend_with_a_normalised_endpoint():
    backend = DirectBackend(" HTTP://127.0.0.1:8000/v1/ ")
    assert isinstance(backend, Backend)
    assert (backend.name, backend.endpoint) == ("direct", "http://127.0.0.1:8000/v1")
    assert DirectBackend("http://127.0.0.1:8000/v1/chat/completions").endpoint == backend.endpoint
    assert DirectBackend().endpoint == OPENAI_URL


@pytest.mark.parametrize(
    "address",
    ["", "127.0.0.1:8000/v1", "ftp://x/v1", "http://", "http://me:pass@x/v1", "http://x/v1?key=k", "http://[x"],
)
def test_an_address_that_cannot_be_one_is_refused_at_once(address):
    with pytest.raises(errors.SettingsError, match="base_url"):
        DirectBackend(address)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("openai/gpt-4o", "gpt-4o"),
        ("gpt-4o", "gpt-4o"),
        ("hosted_vllm/meta-llama/Llama-3", "meta-llama/Llama-3"),
        ("meta-llama/Llama-3", "meta-llama/Llama-3"),
        ("anthropic/claude", "anthropic/claude"),
        ("ollama/qwen3:8b", "qwen3:8b"),
        ("openai/", ""),
    ],
)
def test_the_name_that_the_server_is_told(model, name):
    assert wire_name(model) == name


def test_a_missing_key_is_said_before_anything_is_sent(ask, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with OpenAIServer() as server:
        backend = DirectBackend(server.base_url, key_variable="OPENAI_API_KEY")
        for value in (None, "", "  "):
            if value is not None:
                monkeypatch.setenv("OPENAI_API_KEY", value)
            with pytest.raises(errors.NotConfigured, match="OPENAI_API_KEY"):
                ask.complete(backend)
            with pytest.raises(errors.NotConfigured, match="OPENAI_API_KEY"):
                ask.stream(backend)
        assert server.count == 0
        monkeypatch.setenv("OPENAI_API_KEY", "from-the-environment\n")
        ask.complete(backend)
        assert server.requests[0].headers["authorization"] == "Bearer from-the-environment"


def test_a_key_that_cannot_be_one_is_not_shown(ask):
    with pytest.raises(errors.NotConfigured) as caught:
        ask.complete(DirectBackend("http://127.0.0.1:1/v1", api_key="secret\nX-Header: 1"))
    assert "secret" not in str(caught.value)


def test_the_environments_key_goes_to_no_other_server(ask, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "from-the-environment")
    with OpenAIServer() as server:
        ask.complete(DirectBackend(server.base_url))
        assert "authorization" not in server.requests[0].headers


def test_a_refusal_is_streamed_as_such(ask):
    with OpenAIServer(Completion(None, refusal="Rather not.")) as server:
        pieces = ask.stream(DirectBackend(server.base_url))
    assert pieces[:2] == [RefusalChunk("Rather"), RefusalChunk(" not.")]
    assert pieces[-1] == FinishChunk("stop")


def test_a_server_that_does_not_stream_is_read_whole(ask):
    whole = {
        "model": "m",
        "choices": [{"message": {"content": "all at once"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2},
    }
    with OpenAIServer(Failure(200, whole)) as server:
        assert ask.stream(DirectBackend(server.base_url)) == [
            TextChunk("all"),
            TextChunk(" at"),
            TextChunk(" once"),
            UsageChunk(Usage(3, 2), None),
            FinishChunk("stop"),
        ]


STREAM = {"Content-Type": "text/event-stream"}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('data: {"choices":[{"delta":{"content":"half"}}]}\n\n', errors.NetworkError),
        ("data: [DONE]\n\n", errors.NetworkError),
        ("", errors.NetworkError),
        ("data: not JSON\n\n", errors.InvalidResponse),
        ("data: 7\n\n", errors.InvalidResponse),
        ('data: {"a": 1}\n\n', errors.InvalidResponse),
        ('data: {"error": {"message": "overloaded", "code": 503}}\n\n', errors.ServerError),
        ('data: {"error": {"message": "slow down", "code": 429}}\n\n', errors.RateLimited),
        ('data: {"error": "something"}\n\n', errors.ServerError),
    ],
)
def test_a_stream_that_goes_wrong_says_how(ask, body, kind):
    with OpenAIServer(Failure(200, body, STREAM)) as server, pytest.raises(kind):
        ask.stream(DirectBackend(server.base_url))


def test_a_stream_without_usage_and_done_is_complete(ask):
    body = 'data: {"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}'
    with OpenAIServer(Failure(200, body, STREAM)) as server:
        assert ask.stream(DirectBackend(server.base_url)) == [TextChunk("x"), FinishChunk("stop")]


def test_what_came_before_a_break_was_given_out():
    async def main(backend):
        pieces = []
        try:
            async for piece in backend.stream(Request("m", (Message("user", "x"),))):
                pieces.append(piece)
        except errors.NetworkError:
            return pieces
        raise AssertionError("the break was not noticed")

    with OpenAIServer(Broken("half of it")) as server:
        assert asyncio.run(main(DirectBackend(server.base_url))) == [TextChunk("half of ")]


def choice(**message):
    return {"choices": [{"message": message, "finish_reason": "stop"}]}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (choice(content=None), ""),
        (choice(content=[{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]), "ab"),
        (choice(content="x", reasoning="thinking"), "x"),
        ('{"choices":[{"message":{"content":"half a pair: \\ud83d"}}]}', "half a pair: \ufffd"),
        ('{"choices":[{"message":{"content":"raw \n newline"}}]}', "raw \n newline"),
    ],
)
def test_the_forms_that_servers_give_text_in(ask, body, text):
    with OpenAIServer(Failure(200, body)) as server:
        assert ask.complete(DirectBackend(server.base_url)).text == text


@pytest.mark.parametrize(
    "body",
    [
        choice(content=7),
        choice(tool_calls=[{"id": "a"}]),
        {"choices": [{"text": "the old protocol"}]},
        {"choices": "x"},
        "[" * 100_000,
    ],
    ids=lambda body: str(body)[:30],
)
def test_a_wrong_shape_is_invalid(ask, body):
    with OpenAIServer(Failure(200, body)) as server, pytest.raises(errors.InvalidResponse):
        ask.complete(DirectBackend(server.base_url))


def test_an_error_with_status_200_is_an_error(ask):
    with (
        OpenAIServer(Failure(200, {"error": {"message": "slow down", "code": 429}})) as server,
        pytest.raises(errors.RateLimited),
    ):
        ask.complete(DirectBackend(server.base_url))


def test_a_redirect_is_not_followed_with_the_key(ask):
    with OpenAIServer() as other, OpenAIServer(Failure(307, "", {"Location": other.base_url})) as server:
        with pytest.raises(errors.APIError, match=other.base_url):
            ask.complete(DirectBackend(server.base_url, api_key="k"))
        assert other.count == 0


def test_other_choices_are_kept(ask):
    body = {"choices": [{"message": {"content": text}, "finish_reason": "stop"} for text in ("a", "b")]}
    with OpenAIServer(Failure(200, body)) as server:
        response = ask.complete(DirectBackend(server.base_url), n=2)
    assert (response.text, response.metadata["alternatives"]) == ("a", ["b"])


def test_openais_own_replies_have_a_price(ask, monkeypatch):
    with OpenAIServer(Completion("x", usage=Usage(1_000_000, 1_000_000))) as server:
        backend = DirectBackend(server.base_url)
        monkeypatch.setattr(backend, "_priced", True)
        response = ask.complete(backend)
        *_, usage, _ = ask.stream(backend)
        unknown = ask.complete(backend, "openai/a-model-of-next-year")
    assert response.cost is not None
    assert response.cost > 0
    assert usage == UsageChunk(response.usage, response.cost)
    assert unknown.cost is None


def test_text_that_is_no_unicode_is_the_callers_mistake(ask):
    with pytest.raises(errors.InvalidMessages, match="encode"):
        asyncio.run(DirectBackend("http://127.0.0.1:1/v1").complete(ask.request(text="\ud800")))


def test_a_large_prompt_is_sent(ask):
    with OpenAIServer(lambda body: str(len(body["messages"][0]["content"]))) as server:
        response = asyncio.run(DirectBackend(server.base_url).complete(ask.request(text="x" * 3_000_000)))
    assert response.text == "3000000"


# ---------------------------------------------------------------------------------------------- connections


def test_one_connection_serves_call_after_call(ask):
    ports = set()

    async def main(backend):
        for _ in range(20):
            await backend.complete(ask.request())
            assert [piece async for piece in backend.stream(ask.request())]
        session = await backend._sessions.get()
        ports.update(len(protocols) for protocols in session.connector._conns.values())

    with OpenAIServer() as server:
        asyncio.run(main(DirectBackend(server.base_url)))
    assert ports == {1}


PREAMBLE = """
import asyncio, os, sys
from dsp.lm.backends.direct import DirectBackend
from dsp.messages import Message, Request
from dsp.testing.server import OpenAIServer
def request():
    return Request('m', (Message('user', 'x'),))
"""


def run(code: str) -> str:
    """What a script prints in an interpreter in which every warning is an error."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PREAMBLE + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode == 0
    return done.stdout


def test_a_hundred_loops_leave_nothing_open():
    out = run("""
        import gc
        server = OpenAIServer().start()
        backend = DirectBackend(server.base_url)
        def sockets():
            gc.collect()
            return sum(os.readlink(f'/proc/self/fd/{n}').startswith('socket:') for n in os.listdir('/proc/self/fd') if os.path.lexists(f'/proc/self/fd/{n}'))
        asyncio.run(backend.complete(request()))
        before = sockets()
        for _ in range(100):
            asyncio.run(backend.complete(request()))
        async def part():
            async for piece in backend.stream(request()):
                break
        for _ in range(20):
            asyncio.run(part())
        after = sockets()
        print(after - before)
        server.stop()
    """)
    assert int(out) <= 1


def test_a_backend_that_nobody_holds_closes_its_connections():
    out = run("""
        import gc
        async def main():
            for _ in range(5):
                await DirectBackend(server.base_url).complete(request())
            gc.collect()
            await asyncio.sleep(0.1)
            return sum(type(each).__name__ == 'ClientSession' and not each.closed for each in gc.get_objects())
        with OpenAIServer() as server:
            print(asyncio.run(main()))
    """)
    assert int(out) == 0


def test_closing_ends_every_loops_connections_and_the_next_call_opens_new_ones(ask):
    async def main(backend):
        await backend.complete(ask.request())
        session = await backend._sessions.get()
        await backend.aclose()
        assert session.closed
        await backend.complete(ask.request())
        assert await backend._sessions.get() is not session

    with OpenAIServer() as server:
        asyncio.run(main(DirectBackend(server.base_url)))


def test_close_reaches_the_loop_of_another_thread(ask):
    with OpenAIServer() as server:
        backend = DirectBackend(server.base_url)
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        try:
            for close in (backend.close, lambda: asyncio.run(backend.aclose())):
                asyncio.run_coroutine_threadsafe(backend.complete(ask.request()), loop).result(10)
                session = asyncio.run_coroutine_threadsafe(backend._sessions.get(), loop).result(10)
                close()
                assert session.closed
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_starts_with_connections_of_its_own():
    out = run(
        """
        import warnings
        warnings.filterwarnings("ignore", category=DeprecationWarning, message=".*fork.*")
        server = OpenAIServer().start()
        backend = DirectBackend(server.base_url)
        async def main():
            await backend.complete(request())
            pid = os.fork()
            if pid == 0:
                return None
            await backend.complete(request())
            status = await asyncio.to_thread(os.waitpid, pid, 0)
            text = (await backend.complete(request())).text
            return text, os.waitstatus_to_exitcode(status[1])
        loop = asyncio.new_event_loop()
        found = loop.run_until_complete(main())
        if found is None:
            import threading
            other = threading.Thread(target=lambda: asyncio.run(backend.complete(request())))
            other.start()
            other.join()
            backend.close()
            os._exit(7)
        print(*found, server.count)
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
        server.stop()
        """
    )
    assert out.split() == ["ok", "7", "4"]


def test_importing_dsp_loads_neither_aiohttp_nor_litellm():
    code = (
        "import dsp, sys; from dsp.lm.backends import choose;"
        "print([name for name in ('aiohttp', 'litellm', 'openai') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_many_threads_share_a_backend(ask):
    with OpenAIServer() as server:
        backend = DirectBackend(server.base_url)
        threads = [threading.Thread(target=ask.complete, args=(backend,)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert server.count == 20
    gc.collect()


def test_an_lm_is_closed_from_anywhere(ask):
    async def inside(lm):
        await lm.acomplete("hi")
        lm.close()  # a sync call inside a running loop, which owns the session
        await asyncio.sleep(0.05)
        await lm.acomplete("ho")
        await lm.aclose()

    with OpenAIServer() as server:
        lm = LM("openai/x", base_url=server.base_url)
        assert lm("hi") == "ok"
        lm.close()
        asyncio.run(inside(lm))
        assert lm("hey") == "ok"
        lm.close()


@pytest.mark.parametrize("spelling", ["HTTP_PROXY", "http_proxy"])
def test_the_environments_proxy_is_used_and_its_exceptions_too(ask, monkeypatch, spelling):
    with OpenAIServer("through the proxy") as proxy, OpenAIServer("straight") as server:
        monkeypatch.setenv(spelling, proxy.base_url.removesuffix("/v1"))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert ask.complete(DirectBackend("http://models.example/v1")).text == "through the proxy"
        assert proxy.requests[0].headers["host"] == "models.example"
        assert ask.complete(DirectBackend(server.base_url)).text == "straight"


def test_an_unknown_host_is_named(ask):
    with pytest.raises(errors.NetworkError, match=r"no-such-host\.example:443"):
        ask.complete(DirectBackend("https://no-such-host.example/v1"))


def test_a_whole_timeout_counts_a_reply_that_drips(ask):
    with OpenAIServer("a b c d e f g h i j", pause=0.2) as server, pytest.raises(errors.Timeout, match=r"0\.5 s"):
        ask.stream(DirectBackend(server.base_url), timeout=0.5)
