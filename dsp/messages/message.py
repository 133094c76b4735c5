"""One message of a conversation, and the parts that it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

from dsp.errors import InvalidMessages

if TYPE_CHECKING:
    from pydantic import JsonValue

__all__ = ["Message", "Part", "RefusalPart", "Role", "TextPart", "ThinkingPart", "ToolCallPart", "messages_of"]

Role: TypeAlias = Literal["system", "user", "assistant", "tool"]
ROLES: frozenset[str] = frozenset(("system", "user", "assistant", "tool"))


@dataclass(frozen=True, slots=True)
class TextPart:
    """Text, to or from the model."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingPart:
    """What a reasoning model shows of its thinking; never part of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCallPart:
    """A tool that the model wants called."""

    id: str
    name: str
    arguments: str
    """JSON, as the model wrote it."""


@dataclass(frozen=True, slots=True)
class RefusalPart:
    """The model's own words for not answering."""

    text: str


Part: TypeAlias = TextPart | ThinkingPart | ToolCallPart | RefusalPart


@dataclass(frozen=True, slots=True)
class Message:
    """One turn: who speaks, and what is said.

    Example:
        >>> Message("user", "Where is the Louvre?").text
        'Where is the Louvre?'
    """

    role: Role
    content: str | Sequence[Part]
    tool_call_id: str | None = None
    """On a `tool` message: the call that this is the result of."""
    _wire: dict[str, JsonValue] | None = field(default=None, init=False, repr=False, compare=False, hash=False)
    """The OpenAI form, made once: a system prompt is the same object in every call."""
    _digest: bytes | None = field(default=None, init=False, repr=False, compare=False, hash=False)

    @property
    def text(self) -> str:
        """All text parts, joined."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content if isinstance(part, TextPart))

    @property
    def tool_calls(self) -> tuple[ToolCallPart, ...]:
        """The tool calls in this message."""
        if isinstance(self.content, str):
            return ()
        return tuple(part for part in self.content if isinstance(part, ToolCallPart))

    def to_openai(self) -> dict[str, JsonValue]:
        """The message as the OpenAI chat protocol writes it. The dict is shared: do not change it."""
        if self._wire is None:
            object.__setattr__(self, "_wire", self._to_openai())
        return cast("dict[str, JsonValue]", self._wire)  # set the line above

    def _to_openai(self) -> dict[str, JsonValue]:
        wire: dict[str, JsonValue] = {"role": self.role, "content": self.text}
        if calls := self.tool_calls:
            wire["tool_calls"] = [
                {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
                for call in calls
            ]
        if self.tool_call_id is not None:
            wire["tool_call_id"] = self.tool_call_id
        return wire

    @property
    def digest(self) -> bytes:
        """A hash of all that the message says, the same in every process; made once."""
        if self._digest is None:
            if isinstance(self.content, str) and self.tool_call_id is None:
                text = f"{self.role}\x00{self.content}"
            else:
                text = f"{self.role}\x01{self.tool_call_id}\x01{tuple(self.content)!r}"
            object.__setattr__(self, "_digest", blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest())
        return cast("bytes", self._digest)  # set the line above


def messages_of(prompt: str | Sequence[Message]) -> tuple[Message, ...]:
    """The messages that a prompt stands for; a plain string is one user message.

    Raises:
        InvalidMessages: There is no message, or something in the sequence is not a `Message`.
    """
    if isinstance(prompt, str):
        return (Message("user", prompt),)
    messages = tuple(prompt)
    if not messages:
        raise InvalidMessages("There is no message to send: pass a string, or at least one `Message`.")
    for position, message in enumerate(messages):
        # The annotation promises a Message; a caller without a type checker may still pass a dict.
        if not isinstance(message, Message):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidMessages(
                f"Message {position} is {message!r:.80}, not a `Message`: write `dsp.Message('user', 'text')`."
            )
        if message.role not in ROLES:
            raise InvalidMessages(
                f"Message {position} has the role {message.role!r}; it is one of {', '.join(sorted(ROLES))}."
            )
    return messages
