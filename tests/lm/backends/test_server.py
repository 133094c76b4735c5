"""The test server keeps its promises, since the other tests stand on it."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import urllib.error
import urllib.request

import pytest

from dsp.lm.backends.direct import DirectBackend
from dsp.testing.server import Completion, Failure, Hang, OpenAIServer


def post(server, body: bytes, path: str = "/chat/completions") -> tuple[int, dict[str, object]]:
    request = urllib.request.Request(server.base_url + path, data=body, headers={"X-Test": "Yes"})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_replies_come_in_turn_and_the_last_repeats():
    with OpenAIServer(["a", lambda body: body["model"].upper(), Completion("c")]) as server:
        texts = [post(server, b'{"model": "m"}')[1]["choices"][0]["message"]["content"] for _ in range(4)]
        assert texts == ["a", "M", "c", "c"]
        assert server.count == 4


def test_requests_are_kept_with_their_headers_and_only_so_many():
    with OpenAIServer(keep=2) as server:
        for number in range(3):
            post(server, json.dumps({"n": number}).encode())
        assert [received.body["n"] for received in server.requests] == [1, 2]
        assert server.requests[0].headers["x-test"] == "Yes"
        assert server.requests[0].path == "/v1/chat/completions"
        assert server.count == 3


@pytest.mark.parametrize(
    ("body", "path", "status"),
    [(b"no JSON", "/chat/completions", 400), (b"[]", "/chat/completions", 400), (b"{}", "/models", 404)],
)
def test_what_is_no_request_is_an_error(body, path, status):
    with OpenAIServer() as server:
        found, answer = post(server, body, path)
        assert found == status
        assert answer["error"]["message"]
        assert server.count == 0


def test_a_key_can_be_asked_for(ask):
    with OpenAIServer(api_key="right") as server:
        assert post(server, b"{}")[0] == 401
        assert ask.complete(DirectBackend(server.base_url, api_key="right")).text == "ok"


def test_a_failing_function_is_a_500_and_no_noise(capfd):
    def fail(body):
        raise KeyError("what the test did wrong")

    with OpenAIServer(fail) as server:
        status, answer = post(server, b"{}")
    assert status == 500
    assert "what the test did wrong" in str(answer)
    assert capfd.readouterr().err == ""


def test_a_hanging_reply_does_not_hold_up_the_end(ask):
    with OpenAIServer(Hang(60)) as server:
        thread = threading.Thread(target=lambda: _ignore(server))
        thread.start()
        while server.count == 0:
            time.sleep(0.01)
        start = time.monotonic()
    thread.join()
    assert time.monotonic() - start < 5


def _ignore(server):
    try:
        post(server, b"{}")
    except (OSError, urllib.error.URLError):
        pass


def test_thousands_of_requests_are_served_quickly(ask):
    async def main(backend):
        gate = asyncio.Semaphore(64)

        async def one():
            async with gate:
                await backend.complete(ask.request())

        await asyncio.gather(*(one() for _ in range(2000)))

    with OpenAIServer() as server:
        start = time.monotonic()
        asyncio.run(main(DirectBackend(server.base_url)))
        assert server.count == 2000
    assert time.monotonic() - start < 20


def test_it_can_be_started_twice_and_stopped_twice():
    server = OpenAIServer().start()
    server.stop()
    server.stop()
    with server:
        assert post(server, b"{}")[0] == 200


def test_no_reply_at_all_is_a_mistake():
    with pytest.raises(ValueError, match="at least one reply"):
        OpenAIServer([])


def test_failures_carry_their_headers():
    with OpenAIServer(Failure(429, headers={"Retry-After": "9"})) as server:
        request = urllib.request.Request(server.base_url + "/chat/completions", data=b"{}")
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        with caught.value as error:
            assert error.headers["Retry-After"] == "9"
