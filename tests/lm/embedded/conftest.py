"""Prompts as the contract of the adapters writes them, and the embedded model to send them to."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from dsp.lm.backends.embedded import EmbeddedBackend
from dsp.messages import Message, ModelParams, Request, Response

Demos = Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]


@dataclass
class Task:
    """A prompt to be: each field is its label with what stands in the parentheses and behind them."""

    outputs: Mapping[str, str]
    inputs: Mapping[str, str] = field(default_factory=lambda: {"text": "(string)"})
    definitions: str = ""
    instructions: str = "Do the task."
    demos: Demos = ()


def listed(fields: Mapping[str, str]) -> str:
    return "\n".join(f"- `{label}` {words}" for label, words in fields.items())


def sections(values: Mapping[str, Any]) -> str:
    def raw(value: Any) -> str:
        if not isinstance(value, str):
            return json.dumps(value)
        return "> " + value.replace("\n", "\n> ") if "[[ ##" in value else value

    return "\n\n".join(f"[[ ## {label} ## ]]\n{raw(value)}" for label, value in values.items())


def chat_messages(task: Task, query: Mapping[str, Any]) -> tuple[Message, ...]:
    end = "completed" if "completed" not in task.outputs else "completed_2"
    form = "\n\n".join(f"[[ ## {label} ## ]]\n{{{words}}}" for label, words in task.outputs.items())
    system = (
        f"{task.instructions}\n\nInputs:\n{listed(task.inputs)}\n\nOutputs:\n{listed(task.outputs)}\n{task.definitions}\n\n"
        "Write the outputs in this form, each marker on a line of its own (text as it is, everything else as JSON):\n\n"
        f"{form}\n\n[[ ## {end} ## ]]"
    )
    ask = (
        "Answer with " + ", ".join(f"`[[ ## {label} ## ]]`" for label in task.outputs) + f", then `[[ ## {end} ## ]]`."
    )
    messages = [Message("system", system)]
    for inputs, outputs in task.demos:
        messages.append(Message("user", sections(inputs)))
        messages.append(Message("assistant", f"{sections(outputs)}\n\n[[ ## {end} ## ]]"))
    quoted = ' Lines that start with "> " are quoted text.' if "[[ ##" in json.dumps(query) else ""
    return (*messages, Message("user", f"{sections(query)}\n\n{ask}{quoted}"))


def json_messages(task: Task, query: Mapping[str, Any]) -> tuple[Message, ...]:
    form = ",\n".join(f'  "{label}": {words}' for label, words in task.outputs.items())
    system = (
        f"{task.instructions}\n\nInputs:\n{listed(task.inputs)}\n\nOutputs:\n{listed(task.outputs)}\n{task.definitions}\n\n"
        f"Answer with one JSON object and nothing else, with these keys in this order:\n{{\n{form}\n}}"
    )
    messages = [Message("system", system)]
    for inputs, outputs in task.demos:
        messages.append(Message("user", json.dumps(inputs, indent=2)))
        messages.append(Message("assistant", json.dumps(outputs)))
    return (*messages, Message("user", json.dumps(query, indent=2)))


def xml_messages(task: Task, query: Mapping[str, Any]) -> tuple[Message, ...]:
    form = "\n".join(f"<{label}>{{{label}}}</{label}>" for label in task.outputs)
    system = (
        f"{task.instructions}\n\nInputs:\n{listed(task.inputs)}\n\nOutputs:\n{listed(task.outputs)}\n{task.definitions}\n\n"
        "Write each output in its tags: text as it is (in <![CDATA[...]]> if it holds tags), an object as a tag for each "
        f"field, a list as <item> tags, everything else as JSON:\n\n{form}"
    )
    messages = [Message("system", system)]
    for inputs, outputs in task.demos:
        messages.append(Message("user", tagged(inputs)))
        messages.append(Message("assistant", tagged(outputs)))
    ask = "Answer with " + ", ".join(f"`<{label}>`" for label in task.outputs) + "."
    return (*messages, Message("user", f"{tagged(query)}\n\n{ask}"))


def tagged(values: Mapping[str, Any]) -> str:
    def raw(value: Any) -> str:
        text = value if isinstance(value, str) else json.dumps(value)
        plain = text == text.strip() and "<" not in text and "&" not in text
        return text if plain else "<![CDATA[" + text.replace("]]>", "]]]]><![CDATA[>") + "]]>"

    return "\n".join(f"<{label}>{raw(value)}</{label}>" for label, value in values.items())


def xml_values(reply: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    position = 0
    while position < len(reply):
        label = re.compile(r"<([^<>]+)>").match(reply, position)
        assert label is not None
        closing = f"]]></{label[1]}>" if reply.startswith("<![CDATA[", label.end()) else f"</{label[1]}>"
        end = reply.index(closing, label.end())
        text = reply[label.end() : end]
        if closing.startswith("]]>"):
            text = text.removeprefix("<![CDATA[").replace("]]]]><![CDATA[>", "]]>")
        try:
            values[label[1]] = json.loads(text)
        except ValueError:
            values[label[1]] = text
        position = end + len(closing) + 1
    return values


def chat_values(reply: str) -> dict[str, Any]:
    parts = re.split(r"^\[\[ ## (.+?) ## \]\]$", reply, flags=re.MULTILINE)
    assert not parts[0].strip()
    assert parts[-2].startswith("completed")
    values: dict[str, Any] = {}
    for label, raw in zip(parts[1:-2:2], parts[2:-2:2], strict=True):
        text = raw.strip("\n")
        try:
            values[label] = json.loads(text)
        except ValueError:
            values[label] = text
    return values


@pytest.fixture(scope="session")
def backend() -> EmbeddedBackend:
    return EmbeddedBackend()


@pytest.fixture(scope="session")
def complete(backend: EmbeddedBackend) -> Callable[..., Response]:
    def run(messages: Sequence[Message], **params: Any) -> Response:
        return asyncio.run(backend.complete(Request("embedded", tuple(messages), ModelParams(**params))))

    return run


@pytest.fixture(params=["chat", "json", "xml"])
def form(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def ask(form: str, complete: Callable[..., Response]) -> Callable[..., dict[str, Any]]:
    """Asks in the form of this test, and gives the values of the reply."""

    def run(task: Task, **query: Any) -> dict[str, Any]:
        if form == "chat":
            return chat_values(complete(chat_messages(task, query)).text)
        if form == "xml":
            return xml_values(complete(xml_messages(task, query)).text)
        return json.loads(complete(json_messages(task, query)).text)

    return run


@pytest.fixture
def task() -> type[Task]:
    return Task


@pytest.fixture
def messages(form: str) -> Callable[[Task, Mapping[str, Any]], tuple[Message, ...]]:
    return {"chat": chat_messages, "json": json_messages, "xml": xml_messages}[form]
