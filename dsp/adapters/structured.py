"""Structured output as the provider itself offers it: a schema for the reply, or a tool whose arguments are the outputs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar, get_args

from pydantic import BaseModel
from typing_extensions import override

from dsp import settings
from dsp.adapters import instructing
from dsp.adapters.adapter import BaseAdapter, sent
from dsp.adapters.instructing import Carrier, Mode
from dsp.adapters.json_object import JSONAdapter
from dsp.adapters.memory import SignatureMemory
from dsp.adapters.prompt import Exchange, Prompt
from dsp.adapters.response_format import ABOUT_FORMAT, Refusals
from dsp.adapters.stream import StreamParser
from dsp.adapters.stream_through import ThroughStream
from dsp.errors import SettingsError
from dsp.messages import ModelParams, Request, Response, TextPart, ToolSpec

if TYPE_CHECKING:
    from pydantic import JsonValue

    from dsp.adapters.instructing import Written
    from dsp.adapters.prompt import AdapterCall
    from dsp.adapters.report import Parsed
    from dsp.signatures import Example, Signature

__all__ = ["StructuredAdapter", "StructuredMode"]

I = TypeVar("I", bound=BaseModel)
O = TypeVar("O", bound=BaseModel)

StructuredMode: TypeAlias = Literal["auto"] | Mode
"""A mode of instructor's, or `auto`."""

UNFIT = re.compile(r"[^a-zA-Z0-9]+")
"""What does not go into the name of a tool."""
LEVELS: tuple[Mode, ...] = ("json_schema", "tools")
"""What `auto` tries before plain text."""
_refusals = Refusals(re.compile(f"{ABOUT_FORMAT.pattern}|tool|function.?call", re.IGNORECASE), last=len(LEVELS))
settings.on_reset(_refusals.clear)


class StructuredAdapter(BaseAdapter):
    """The provider's own structured output, through instructor's modes.

    instructor writes the request and dsp's model performs it, so that cache, retries, history and usage are the model's
    own. instructor never asks twice. A tool's arguments, or the reply's text, are mended like any reply.

    | mode | the provider is given |
    |---|---|
    | `json_schema` | the schema as `response_format` |
    | `tools` | one tool with the schema, which the model must call |
    | `json_object` | `response_format` for any JSON object, and the schema in the prompt |
    | `markdown` | the schema in the prompt alone |
    | `auto` | `json_schema` where the schema says all that strict mode needs, else `tools`; what a provider refuses is not asked of that model again, and text is the last resort |

    Args:
        mode: One of them.
        template: The text of the user's turn as a Jinja template, or the path of one; see `ChatAdapter`.

    Raises:
        SettingsError: There is no such mode.
        TemplateError: The template file cannot be read.
    """

    name = "structured"
    mode: StructuredMode
    """How the provider is asked."""
    template: str | Path | None
    """The text of the user's turn."""

    def __init__(self, mode: StructuredMode = "auto", *, template: str | Path | None = None) -> None:
        known = ("auto", *get_args(Mode))
        if mode not in known:
            raise SettingsError(f"mode={mode!r} is none of {', '.join(known)}.")
        self.mode = mode
        self.template = template
        self._json = JSONAdapter(template)
        self._carried: SignatureMemory[_Carried] = SignatureMemory(_Carried)

    @override
    def __repr__(self) -> str:
        return f"StructuredAdapter({self.mode!r})"

    @override
    def __reduce__(self) -> tuple[object, ...]:
        return _made, (self.mode, self.template)

    @override
    def format(
        self,
        signature: Signature[I, O],
        inputs: I,
        *,
        demos: Sequence[Example[I, O]] = (),
        tools: Sequence[ToolSpec] = (),
    ) -> Prompt:
        """The prompt of the mode; of `auto`, the one that is tried first."""
        prompt = self._json.format(signature, inputs, demos=demos, tools=tools)
        carried = self._carried.of(signature)
        mode = LEVELS[carried.level] if self.mode == "auto" else self.mode
        return _prompt(prompt, instructing.write(mode, carried.carrier, prompt.messages))

    @override
    def parse(self, signature: Signature[I, O], reply: str | Response) -> Parsed[O]:
        """What a tool's arguments hold, or else the text."""
        if not isinstance(reply, str):
            reply = _payload(reply, self._carried.of(signature).carrier.name)
        return self._json.parse(signature, reply).after(1, adapter=self.name)

    @override
    def parse_stream(self, signature: Signature[I, O]) -> StreamParser[O]:
        return ThroughStream(self._json.parse_stream(signature), lambda reply: self.parse(signature, reply))

    @override
    async def ask(self, call: AdapterCall[I, O]) -> Exchange:
        """Let instructor ask, in the first mode that the provider takes.

        Raises:
            InputError: The input is not what the signature takes.
            LMError: The model did not answer.
        """
        prompt = self._json.format(call.signature, call.inputs, demos=call.demos, tools=call.tools)
        carried = self._carried.of(call.signature)
        if self.mode != "auto":
            return await self._through(call, prompt, self.mode, carried)

        async def attempt(level: int) -> Exchange:
            if level < len(LEVELS):
                return await self._through(call, prompt, LEVELS[level], carried)
            return await sent(call.lm, replace(prompt, response_format=None), call.params)

        return await _refusals.first_taken(call.lm, carried.digest, carried.level, attempt)

    async def _through(self, call: AdapterCall[I, O], prompt: Prompt, mode: Mode, carried: _Carried) -> Exchange:
        exchanges: list[Exchange] = []

        async def complete(written: Written) -> str:
            params = call.params if written.tool_choice is None else _choosing(call, written.tool_choice)
            asked = _prompt(prompt, written)
            request = Request(call.lm.model, tuple(asked.messages), params, asked.response_format, asked.tools)
            exchanges.append(Exchange(call.lm, request, await call.lm.acomplete(request)))
            return exchanges[0].response.text

        await instructing.through(mode, carried.carrier, prompt.messages, complete)
        return exchanges[0]


def _prompt(prompt: Prompt, written: Written) -> Prompt:
    own = () if written.tool is None else (written.tool,)
    return Prompt(list(written.messages), written.response_format, (*own, *prompt.tools))


def _choosing(call: AdapterCall[I, O], choice: JsonValue) -> ModelParams:
    """The call's parameters with the tool that must be called; what the model itself passes on stays."""
    extra = {**call.lm.params.get("extra", {}), **call.params.get("extra", {}), "tool_choice": choice}
    return {**call.params, "extra": extra}


def _payload(reply: Response, tool: str) -> Response:
    """The reply with the tool's arguments in place of its text, if the tool was called."""
    called = [call for call in reply.tool_calls if call.name == tool]
    if not called and not reply.text.strip():
        called = list(reply.tool_calls)  # by a name that the model made up
    if not called:
        return reply
    # Several calls that disagree are not told apart by their order: the reader refuses them.
    return replace(reply, parts=(TextPart("\n".join(dict.fromkeys(call.arguments for call in called))),))


class _Carried:
    """What instructor is shown of a signature. Holds no model: it must not keep the signature alive."""

    carrier: Carrier
    digest: bytes
    level: int
    """Where `auto` begins."""

    def __init__(self, signature: Signature[Any, Any]) -> None:  # Any: whatever its models
        schema = signature.json_schema()
        name = UNFIT.sub("_", signature.name).strip("_")[:64] or "output"
        self.carrier = Carrier(name, schema.schema, schema.strict)
        self.digest = self.carrier.format.digest
        self.level = 0 if schema.strict else 1


def _made(mode: StructuredMode, template: str | Path | None) -> StructuredAdapter:
    return StructuredAdapter(mode, template=template)
