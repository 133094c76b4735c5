"""A reply, before anything is read from it: its text, or the reason why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsp.errors import ContentFiltered, ParseError, Truncated
from dsp.messages import Response
from dsp.repair import explain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import ValidationError

__all__ = ["check_finished", "invalid", "text_of", "unreadable"]


def text_of(reply: str | Response) -> str:
    """The text of a reply.

    Raises:
        ContentFiltered: The model or the provider refused, and said nothing else.
        Truncated: The reply was cut before its first word.
        ParseError: There is no text.
    """
    if isinstance(reply, str):
        text = reply
    else:
        text = reply.text
        if not text.strip():
            check_finished(reply)
            if reply.refusal is not None:
                raise _about(ContentFiltered, reply, f"The model refused to answer: {reply.refusal:.200}")
            if reply.tool_calls:
                names = ", ".join(f"`{call.name}`" for call in reply.tool_calls)
                raise unreadable("", (f"The reply is empty of text: it only calls {names}.",))
    if not text.strip():
        raise unreadable(text, ("The reply is empty.",))
    return text


def check_finished(reply: str | Response) -> None:
    """Refuse a reply that the provider says is cut or filtered; to be asked where nothing shows that it is complete.

    Raises:
        Truncated: It was cut at the token limit.
        ContentFiltered: The provider's filter ended it.
    """
    if isinstance(reply, str):
        return
    if reply.finish_reason == "length":
        raise _about(
            Truncated,
            reply,
            f"The reply was cut at the token limit after {reply.usage.completion_tokens} tokens, before it was complete: set a "
            "higher `max_tokens`, or ask for less.",
        )
    if reply.finish_reason == "content_filter":
        raise _about(ContentFiltered, reply, "The provider's filter ended the reply before it was complete.")


def _about(kind: type[Truncated | ContentFiltered], reply: Response, message: str) -> Truncated | ContentFiltered:
    return kind(message, model=reply.model or None, provider=reply.provider or None, attempts=reply.attempts)


def unreadable(reply: str, errors: tuple[str, ...], missing: tuple[str, ...] = ()) -> ParseError:
    """The error for a reply that no valid output can be read from."""
    return ParseError(f"No valid output in the reply. {' '.join(errors)}", reply=reply, missing=missing, errors=errors)


def invalid(reply: str, error: ValidationError, types: Mapping[str, str]) -> ParseError:
    """The error for a reply whose values the output model refuses."""
    details = error.errors(include_url=False, include_context=False, include_input=False)
    missing = tuple(str(one["loc"][0]) for one in details if one["type"] == "missing" and len(one["loc"]) == 1)
    return unreadable(reply, tuple(explain(error, types)), missing)
