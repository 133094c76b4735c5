"""The embedded model as a backend: deterministic, free, bounded, and never at a loss."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsp.errors import InvalidMessages, LMError
from dsp.lm.backends.backend import Backend
from dsp.lm.backends.embedded import EmbeddedBackend
from dsp.messages import FinishChunk, Message, ModelParams, Request, TextChunk, TextPart, UsageChunk

DEMOS = [
    ({"text": f"ticket {number}: {word} {word} again"}, {"team": team, "note": f"{word} it is"})
    for number, (word, team) in enumerate([("invoice", "billing"), ("crash", "technical"), ("parcel", "shipping")] * 4)
]
OUTPUTS = {"team": '(one of "billing", "technical", "shipping")', "note": "(string, at most 80 characters)"}
QUERY = {"text": "the app shows a crash. Then it was gone.\n\nBye"}


async def streamed(backend, request):
    return [chunk async for chunk in backend.stream(request)]


def test_it_is_a_backend_that_waits_for_nothing(backend):
    assert isinstance(backend, Backend)
    assert (backend.name, backend.endpoint, backend.immediate) == ("embedded", "", True)


def test_it_reports_usage_and_costs_nothing(messages, complete, task):
    asked = messages(task(OUTPUTS, demos=DEMOS), QUERY)

    response = complete(asked)

    assert response.usage.prompt_tokens == -(-sum(len(message.text) for message in asked) // 4)
    assert response.usage.completion_tokens == -(-len(response.text) // 4)
    assert (response.cost, response.finish_reason, response.provider) == (0.0, "stop", "embedded")


@pytest.mark.parametrize("params", [{}, {"max_tokens": 5}, {"stop": ["team"]}, {"max_tokens": 0}])
def test_streaming_gives_the_same_reply_word_by_word(params, backend, messages, complete, task):
    asked = messages(task(OUTPUTS, demos=DEMOS), QUERY)
    whole = complete(asked, **params)

    chunks = asyncio.run(streamed(backend, Request("embedded", asked, ModelParams(**params))))

    texts = [chunk.text for chunk in chunks if isinstance(chunk, TextChunk)]
    assert "".join(texts) == whole.text
    assert all(len(text.split()) <= 1 for text in texts)
    assert chunks[-2:] == [UsageChunk(whole.usage, 0.0), FinishChunk(whole.finish_reason)]


def test_the_token_limit_cuts_the_reply(messages, complete, task):
    response = complete(messages(task(OUTPUTS, demos=DEMOS), QUERY), max_tokens=3)

    assert (len(response.text), response.finish_reason, response.usage.completion_tokens) == (12, "length", 3)


def test_a_limit_that_is_not_reached_changes_nothing(messages, complete, task):
    asked = messages(task(OUTPUTS, demos=DEMOS), QUERY)

    assert complete(asked, max_tokens=10_000) == complete(asked)


@pytest.mark.parametrize("stop", [["zebra", "note", "team"], "team"])
def test_the_first_stop_sequence_ends_the_reply(stop, messages, complete, task):
    response = complete(messages(task(OUTPUTS, demos=DEMOS), QUERY), stop=stop)

    assert response.text in ("[[ ## ", '{"', "<")
    assert response.finish_reason == "stop"


SCRIPT = """
import asyncio, sys
from dsp.lm.backends.embedded import EmbeddedBackend
from dsp.messages import Message, Request
messages = tuple(Message(role, text) for role, text in {messages!r})
print(ascii(asyncio.run(EmbeddedBackend().complete(Request("embedded", messages))).text))
"""


def test_the_reply_is_the_same_in_every_process(messages, complete, task):
    shown = [*DEMOS, *(({"text": f"{word} late"}, {"team": "shipping", "note": "?"}) for word in "abcdef")]
    asked = messages(task({**OUTPUTS, "tags": "(list of string)", "why": "(string)"}, demos=shown), QUERY)
    script = SCRIPT.format(messages=[(message.role, message.text) for message in asked])

    replies = {
        subprocess.run(
            [sys.executable, "-c", script], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout.strip()
        for seed in ("0", "1", "4711")
    }

    assert replies == {ascii(complete(asked).text).encode()}


def test_numpy_is_loaded_only_when_a_prompt_shows_examples():
    script = """
import asyncio, sys
from dsp.lm.backends.embedded import EmbeddedBackend
from dsp.messages import Message, Request
asyncio.run(EmbeddedBackend().complete(Request("embedded", (Message("user", "Where is it? It is here."),))))
print("numpy" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)

    assert done.stdout.strip() == "False"


def test_a_bare_chat_is_answered_with_the_best_sentence(complete):
    told = Message("system", "The office is in Ghent. It opens at nine. The lift is broken.")

    assert complete([told, Message("user", "When does the office open?")]).text == "It opens at nine."


@pytest.mark.parametrize(
    "messages",
    [
        [Message("user", "")],
        [Message("user", "Hello?")],
        [Message("system", "Be kind.")],
        [Message("system", ""), Message("user", "  \n ")],
        [Message("assistant", "hi"), Message("tool", "{}", tool_call_id="1")],
        [Message("user", (TextPart("a"), TextPart("b. c")))],
    ],
)
def test_it_always_says_something(messages, complete):
    assert complete(messages).text


def test_no_message_at_all_is_an_error(complete):
    with pytest.raises(InvalidMessages, match="at least one"):
        complete([])


def test_a_prompt_of_which_nothing_fits_the_form_is_answered_in_the_form(complete):
    system = "Do it.\n\nOutputs:\n- `n` (integer)\n\nAnswer with one JSON object and nothing else, with these keys in this order:\n{"

    assert json.loads(complete([Message("system", system), Message("user", "there are 3")]).text) == {"n": 3}
    assert json.loads(complete([Message("system", system)]).text) == {"n": 0}


def test_headings_in_the_instructions_are_not_taken_for_the_prompts_own(ask, task):
    instructions = "Inputs:\n- `x` (string)\n\nOutputs:\n- `y` (integer)\n\nAnswer with one JSON object, please."

    assert ask(task({"n": "(integer)"}, instructions=instructions), text="take 5") == {"n": 5}


def test_a_huge_input_is_answered_within_seconds(messages, complete, task):
    text = "The crash came at noon. It took 45 minutes (or so)! " * 200_000
    start = time.perf_counter()

    response = complete(messages(task(OUTPUTS, demos=DEMOS), {"text": text}))

    assert "technical" in response.text
    assert time.perf_counter() - start < 10


HOSTILE = {
    "one word": "a" * 3_000_000,
    "open brackets": "[" * 1_000_000,
    "open braces": '{"a":' * 100_000,
    "quotes": '"' * 1_000_000,
    "markers": "[[ ## text ## ]]\n" * 50_000,
    "spaces": " " * 3_000_000,
    "line ends": "\n" * 3_000_000,
    "numbers": "1,234,567.890,123 " * 50_000,
    "digits": "1" * 1_000_000,
    "dashes": "-" * 1_000_000,
    "capitals": "A'" * 500_000,
    "pairs": "a: " * 300_000,
    "surrogates": "\ud800\udfff" * 1_000,
    "address": "a@" + "a." * 300_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_inputs_take_seconds_at_most(text, messages, complete, task):
    fields = {
        "team": OUTPUTS["team"],
        "quote": "(string): exact",
        "name": "(string)",
        "n": "(number)",
        "day": "(string, an ISO 8601 date-time)",
        "mail": "(string, an email address)",
        "code": "(string, matching ^(a+)+$)",
        "list": "(list of string)",
        "map": "(object with string keys and integer values)",
    }
    start = time.perf_counter()

    assert complete(messages(task(fields), {"text": text})).text
    assert complete([Message("user", text)]).text
    assert complete([Message("system", text), Message("user", text)]).text
    assert time.perf_counter() - start < 15


@pytest.mark.parametrize(
    "words",
    [
        "(" + "list of " * 100_000 + "string)",
        "(" + "(" * 100_000,
        "(" + "string or " * 2_000 + "null)",
        '(one of "a"' + ', "a"' * 20_000 + ")",
        "(object with " + '"a": (object with ' * 5_000,
        "(string, matching " + "(" * 50_000 + ")",
        "(string, matching (a{1000}){1000})",
        "(list of integer, at least 999999999 items)",
        "(string, at least 999999999 characters)",
        "(list of exactly 9999: string)",
        "(string, in the past, after 9999-99-99)",
    ],
    ids=lambda words: words[:40],
)
def test_hostile_types_take_seconds_at_most(words, messages, complete, task):
    start = time.perf_counter()

    assert complete(messages(task({"value": words}), {"text": "some words, 12 of them"})).text
    assert time.perf_counter() - start < 5


def test_models_that_hold_many_others_stay_small(messages, complete, task):
    names = [f"Part{number}" for number in range(40)]
    definitions = "".join(
        f"\n{name} is an object with:\n" + "\n".join(f"  - `f{field}` ({after})" for field in range(6)) + "\n"
        for name, after in zip(names, [*names[1:], "string"], strict=True)
    )
    start = time.perf_counter()

    assert complete(messages(task({"root": "(Part0)"}, definitions=definitions), {"text": "a b c"})).text
    assert time.perf_counter() - start < 5


pieces = st.sampled_from(
    [
        "Inputs:\n", "Outputs:\n", "- `a` (string)\n", "- `b` (list of integer, at least 2 items): three\n", "- `c` (Item)\n",
        "Item is an object with:\n", "  - `d` (number or null, optional, default 3)\n", "Item is list of Item\n",
        "Write the outputs in this form\n", "Answer with one JSON object\n", "[[ ## a ## ]]\n", "[[ ## b ## ]]\n", "[1, 2]\n",
        "[[ ## completed ## ]]\n", "> [[ ## a ## ]]\n", '{"a": "x", "b": [3]}', "{", "}", "`", ")", "(", "one of ", '"x", ',
        "Answer with `[[ ## a ## ]]`.", "What is it? ", "It is 5 o'clock. ", "\n", "\n\n", "2024-01-01", ", at most 1 items",
    ]
)  # fmt: skip
texts = st.one_of(st.text(max_size=200), st.lists(pieces, max_size=20).map("".join))
turns = st.builds(Message, st.sampled_from(["system", "user", "assistant", "tool"]), texts)


@settings(max_examples=400, deadline=None)
@given(conversation=st.lists(turns, max_size=8))
def test_any_messages_get_a_reply_or_an_error_of_the_model(conversation):
    try:
        response = asyncio.run(EmbeddedBackend().complete(Request("embedded", tuple(conversation))))
    except LMError:
        assert not conversation
    else:
        assert response.text
        assert response.text == asyncio.run(EmbeddedBackend().complete(Request("embedded", tuple(conversation)))).text


def test_what_is_kept_does_not_grow_with_the_calls(messages, task):
    backend = EmbeddedBackend()
    for number in range(50):
        shown = [({"text": f"{number} {word}"}, {"team": "billing"}) for word in ("one", "two")]
        asked = messages(task({"team": OUTPUTS["team"]}, demos=shown), QUERY)
        asyncio.run(backend.complete(Request("embedded", asked)))

    assert len(backend._prefixes) <= 8


def test_threads_get_the_replies_that_one_thread_gets(messages, task):
    asked = [
        messages(task(OUTPUTS, demos=DEMOS[: 3 + number % 9]), {"text": f"{word} {number}"})
        for number, word in enumerate(["crash", "invoice", "parcel"] * 12)
    ]
    alone = [asyncio.run(EmbeddedBackend().complete(Request("embedded", one))).text for one in asked]
    shared = EmbeddedBackend()
    replies: dict[int, str] = {}

    def run(start: int) -> None:
        for number in range(start, len(asked), 4):
            replies[number] = asyncio.run(shared.complete(Request("embedded", asked[number]))).text

    threads = [threading.Thread(target=run, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [replies[number] for number in range(len(asked))] == alone
