"""Programs against a real server that speaks the provider's protocol: what goes over the wire, and what does not."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
import time
from typing import Literal

import pytest

import dsp
from dsp.testing.server import Broken, Failure, Hang, Html, OpenAIServer

from .models import Answer, Question, chat

BACKENDS: list[Literal["direct", "litellm"]] = ["direct", "litellm"]
AT_ONCE = dsp.Retry(base=0.0)
PARIS = chat(text="Paris")


def program(
    server: OpenAIServer, backend: Literal["direct", "litellm"] = "direct", **params: object
) -> dsp.Predict[Question, Answer]:
    lm = dsp.LM(
        "openai/gpt-4o-mini", base_url=server.base_url, api_key="k", backend=backend, cache=False, retry=AT_ONCE
    )
    return dsp.Predict[Question, Answer]("Answer.", lm=lm.with_(**params))  # type: ignore[arg-type]


@pytest.mark.parametrize("backend", BACKENDS)
class TestOnEveryBackend:
    @pytest.mark.parametrize("reply", [Failure(500), Failure(429), Html("<html>busy</html>"), Broken()], ids=repr)
    def test_four_attempts_are_four_requests(self, backend: Literal["direct", "litellm"], reply: object) -> None:
        with OpenAIServer([reply]) as server:  # type: ignore[list-item]
            with pytest.raises(dsp.LMError) as caught:
                program(server, backend)(Question(text="?"))
            assert (server.count, caught.value.attempts) == (4, 4)
            assert len(caught.value.calls[0].attempts) == 4

    def test_the_reply_after_a_failure_is_the_answer(self, backend: Literal["direct", "litellm"]) -> None:
        with OpenAIServer([Failure(503), PARIS]) as server:
            prediction = program(server, backend).run(Question(text="Where?"))
            assert prediction.output == Answer(text="Paris")
            assert prediction.usage.total_tokens > 0
            assert server.count == 2

    def test_what_is_not_set_is_not_sent_and_zero_is(self, backend: Literal["direct", "litellm"]) -> None:
        with OpenAIServer([PARIS]) as server:
            program(server, backend, temperature=0.0)(Question(text="?"))
            body = server.requests[0].body
            assert body["temperature"] == 0.0
            assert not {"max_tokens", "top_p", "seed", "n", "stop"} & set(body)

    def test_a_server_that_does_not_answer_is_given_up(self, backend: Literal["direct", "litellm"]) -> None:
        with OpenAIServer([Hang(30)]) as server:
            started = time.monotonic()
            with pytest.raises(dsp.Timeout):
                program(server, backend, timeout=0.3)(Question(text="?"))
            assert time.monotonic() - started < 10

    def test_a_hundred_calls_at_once(self, backend: Literal["direct", "litellm"]) -> None:
        with OpenAIServer([lambda body: chat(text=str(body["messages"])[-400:].count("#7#"))]) as server:
            predict = program(server, backend)

            async def main() -> list[str]:
                inputs = [Question(text=f"#{n}#") for n in range(100)]
                return [out.text for out in await asyncio.gather(*(predict.acall(each) for each in inputs))]

            assert asyncio.run(main()) == ["1" if n == 7 else "0" for n in range(100)]


def test_a_cancelled_call_leaves_nothing_behind() -> None:
    with OpenAIServer([Hang(30), PARIS]) as server:
        predict = program(server)

        async def main() -> Answer:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(predict.acall(Question(text="1")), 0.2)
            return await predict.acall(Question(text="2"))

        assert asyncio.run(main()) == Answer(text="Paris")
        assert server.count == 2


def test_a_hundred_loops_leave_nothing_open() -> None:
    code = textwrap.dedent(
        """
        import asyncio, gc
        import dsp
        from pydantic import BaseModel
        from dsp.testing import OpenAIServer
        class T(BaseModel):
            text: str
        with OpenAIServer(["[[ ## text ## ]]\\nhi"]) as server:
            lm = dsp.LM("openai/gpt-4o-mini", base_url=server.base_url, api_key="k", cache=False)
            program = dsp.Predict[T, T](lm=lm)
            for number in range(100):
                asyncio.run(program.acall(T(text=str(number))))
                gc.collect()
            program(T(text="sync"))
            print(server.count)
        """
    )
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("101\n", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_calls_on_connections_of_its_own() -> None:
    code = textwrap.dedent(
        """
        import os, warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        import dsp
        from pydantic import BaseModel
        from dsp.testing import OpenAIServer
        class T(BaseModel):
            text: str
        with OpenAIServer(["[[ ## text ## ]]\\nhi"]) as server:
            limits = dsp.Limits(concurrency=1)
            lm = dsp.LM("openai/m", base_url=server.base_url, api_key="k", cache=False, limits=limits)
            program = dsp.Predict[T, T](lm=lm)
            program(T(text="parent"))
            children = []
            for number in range(3):
                child = os.fork()
                if child == 0:
                    os._exit(0 if program(T(text="child")).text == "hi" else 1)
                children.append(child)
            codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
            print(codes, program(T(text="parent")).text, server.count)
        """
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=40, check=False)
    assert (done.stdout, done.stderr) == ("[0, 0, 0] hi 5\n", "")


def test_an_unreachable_server_is_named() -> None:
    predict = dsp.Predict[Question, Answer](lm=dsp.LM("x/y", base_url="http://127.0.0.1:9/v1", retry=None))
    with pytest.raises(dsp.NetworkError, match=r"127\.0\.0\.1:9"):
        predict(Question())


def test_a_page_in_place_of_json_is_shown() -> None:
    with OpenAIServer([Html("<html>Login required</html>")]) as server:
        lm = dsp.LM("x/y", base_url=server.base_url, retry=None)
        with pytest.raises(dsp.InvalidResponse, match="Login required"):
            dsp.Predict[Question, Answer](lm=lm)(Question())


def test_a_missing_key_names_the_variable_before_any_call() -> None:
    for model, variable in (("openai/gpt-4o-mini", "OPENAI_API_KEY"), ("anthropic/claude-x", "ANTHROPIC_API_KEY")):
        with pytest.raises(dsp.NotConfigured, match=variable):
            dsp.Predict[Question, Answer](lm=dsp.LM(model))(Question())


@pytest.mark.parametrize(("model", "hint"), [("opnai/gpt-4o", "openai"), ("gpt-4o", "openai/gpt-4o")])
def test_an_unknown_provider_is_found_at_once(model: str, hint: str) -> None:
    with pytest.raises(dsp.UnsupportedProvider, match=hint):
        dsp.LM(model)


def test_nothing_reaches_for_the_network_at_import_or_on_a_first_call() -> None:
    code = textwrap.dedent(
        """
        import socket
        def refused(*args, **kwargs):
            raise AssertionError(f"the network was reached for: {args}")
        socket.getaddrinfo = socket.create_connection = refused
        true_connect = socket.socket.connect
        socket.socket.connect = refused
        import dsp
        print(dsp.LM("embedded")("Where is the Louvre? The Louvre is in Paris."))
        """
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("The Louvre is in Paris.\n", "")
