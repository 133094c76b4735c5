"""instructor as a library: it writes a request in one of its modes, and finds the payload in the reply.

It is reached by name, so that no type checker has to read it, and imported on first use. It never retries: what goes
wrong is judged by dsp, which has the model's real reply.
"""

from __future__ import annotations

import asyncio
import logging
from copy import deepcopy
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from types import new_class
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, cast

from dsp.errors import DspError
from dsp.messages import Message, ResponseFormat

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from pydantic import BaseModel, JsonValue

__all__ = ["Carrier", "Mode", "Written", "load", "through", "write"]

Mode: TypeAlias = Literal["json_schema", "tools", "json_object", "markdown"]
"""How a provider is asked to keep to the schema."""

MODES: dict[Mode, str] = {
    "json_schema": "JSON_SCHEMA",
    "tools": "TOOLS",
    "json_object": "JSON",
    "markdown": "MD_JSON",
}
"""instructor's names of them."""


class Create(Protocol):
    """A function of the OpenAI client's form, which instructor has wrapped."""

    def __call__(
        self, *, response_model: type[BaseModel], messages: list[dict[str, JsonValue]], max_retries: int
    ) -> object: ...


class Library:
    """What dsp uses of instructor and of openai."""

    base: type[BaseModel]
    """What a response model is, once instructor has prepared it."""
    refused: type[Exception]
    """What instructor wraps around an exception of the function that it calls."""

    def __init__(self) -> None:
        # What they say of their own troubles is for a user's handlers; without one, nothing is printed.
        logging.getLogger("instructor").addHandler(logging.NullHandler())
        self._instructor: Any = import_module("instructor")  # Any: a library looked at by name
        self._completion: Any = import_module("openai.types.chat").ChatCompletion
        self.base = self._instructor.OpenAISchema
        self.refused = cast("type[Exception]", import_module("instructor.core").InstructorRetryException)

    def patched(self, create: Callable[..., object], mode: Mode) -> Create:
        """A create function that takes a response model."""
        return cast("Create", self._instructor.patch(create=create, mode=self._instructor.Mode[MODES[mode]]))

    def completion(self, mode: Mode, name: str, payload: str) -> object:
        """An OpenAI `ChatCompletion` that holds a payload where the mode has it."""
        message: dict[str, JsonValue] = {"role": "assistant", "content": payload}
        if mode == "tools":
            call: JsonValue = {"id": "call_0", "type": "function", "function": {"name": name, "arguments": payload}}
            message = {"role": "assistant", "content": None, "tool_calls": [call]}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        head = {"id": "dsp", "object": "chat.completion", "created": 0, "model": ""}
        return cast("object", self._completion.model_validate({**head, "choices": [choice]}))


@cache
def library() -> Library:
    """instructor; the first call imports it, which takes a second."""
    return Library()


async def load() -> Library:
    """instructor, imported in a thread the first time."""
    return library() if library.cache_info().currsize else await asyncio.to_thread(library)


@dataclass(frozen=True)
class Carrier:
    """What instructor is shown in place of an output model: its name and its schema, and nothing that keeps it alive."""

    name: str
    schema: Mapping[str, JsonValue]
    strict: bool

    @cached_property
    def model(self) -> type[BaseModel]:
        """A response model with this schema, which takes any payload: it is read elsewhere.

        Made once: instructor remembers the schema of each model that it meets.
        """
        return _model(library().base, self)

    def described(self) -> dict[str, Any]:  # Any: as Pydantic types it
        """The schema with the name and the words that a tool has."""
        return {"title": self.name, "description": "Takes the outputs.", **deepcopy(dict(self.schema))}

    @property
    def format(self) -> ResponseFormat:
        """The schema as a response format."""
        return ResponseFormat(self.name, self.schema, self.strict)


def _model(base: type[BaseModel], carrier: Carrier) -> type[BaseModel]:
    def model_json_schema(_cls: type[BaseModel], /, *_: object, **__: object) -> dict[str, Any]:
        return carrier.described()

    def model_validate_json(cls: type[BaseModel], /, *_: object, **__: object) -> BaseModel:
        return cls.model_construct()

    own = {
        "__module__": __name__,
        "model_json_schema": classmethod(model_json_schema),
        "model_validate_json": classmethod(model_validate_json),
    }
    return cast("type[BaseModel]", new_class(carrier.name, (base,), exec_body=lambda body: body.update(own)))


@dataclass(frozen=True)
class Written:
    """A request as instructor wrote it."""

    messages: tuple[Message, ...]
    response_format: ResponseFormat | None
    tool: FunctionTool | None
    tool_choice: JsonValue


@dataclass(frozen=True)
class FunctionTool:
    """The tool whose arguments are the outputs."""

    name: str
    function: Mapping[str, JsonValue]

    def json_schema(self) -> dict[str, JsonValue]:
        """As the protocol writes it."""
        return dict(self.function)


async def through(
    mode: Mode,
    carrier: Carrier,
    messages: Sequence[Message],
    complete: Callable[[Written], Awaitable[str]],
) -> None:
    """Let instructor ask: `complete` sends what it wrote, and gives the payload of the reply.

    Raises:
        DspError: What `complete` raised.
    """
    found = await load()
    failed: list[DspError] = []

    async def create(**wire: Any) -> object:  # Any: whatever instructor puts into a request
        payload = "{}"
        try:
            payload = await complete(_written(wire, carrier, messages))
        except DspError as error:
            failed.append(error)  # raised below: instructor would log it, and wrap it into an error of its own
        return found.completion(mode, carrier.name, payload)

    try:
        await cast("Awaitable[object]", _called(found.patched(create, mode), carrier, messages))
    except found.refused as error:
        raise error.__cause__ or error from None
    if failed:
        raise failed[0]


def write(mode: Mode, carrier: Carrier, messages: Sequence[Message]) -> Written:
    """The request that instructor would send, without sending it."""
    found = library()
    requests: list[Written] = []

    def create(**wire: Any) -> object:  # Any: whatever instructor puts into a request
        requests.append(_written(wire, carrier, messages))
        return found.completion(mode, carrier.name, "{}")

    _called(found.patched(create, mode), carrier, messages)
    return requests[0]


def _called(create: Create, carrier: Carrier, messages: Sequence[Message]) -> object:
    wire = [dict(message.to_openai()) for message in messages]
    return create(response_model=carrier.model, messages=wire, max_retries=0)


def _written(wire: Mapping[str, Any], carrier: Carrier, messages: Sequence[Message]) -> Written:
    untouched = {str(message.to_openai()): message for message in messages}
    shown = tuple(untouched.get(str(one)) or Message(one["role"], str(one["content"])) for one in wire["messages"])
    tools = wire.get("tools")
    tool = FunctionTool(carrier.name, tools[0]["function"]) if tools else None
    form: ResponseFormat | None = None
    match wire.get("response_format"):
        case {"type": "json_schema"}:
            form = carrier.format
        case {"type": "json_object"}:
            form = ResponseFormat(carrier.name, carrier.schema, strict=False)
        case _:
            pass
    return Written(shown, form, tool, wire.get("tool_choice"))
