"""The repair turn: the model sees its reply and what was wrong with it, and answers again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsp.adapters.prompt import Exchange
from dsp.adapters.template import render
from dsp.messages import Message, Request

if TYPE_CHECKING:
    from dsp.errors import ParseError

__all__ = ["reasked"]

MOST = 10
"""How many errors a model is told at once."""
LONGEST = 500
"""Characters of one error that a model is told."""


async def reasked(exchange: Exchange, error: ParseError) -> Exchange:
    """The same model's next reply, in the same form.

    Raises:
        LMError: The model did not answer.
    """
    request = exchange.request
    following = Request(
        request.model,
        (*request.messages, *_turn(exchange, error)),
        request.params,
        request.response_format,
        request.tools,
    )
    response = await exchange.lm.acomplete(following)
    return Exchange(exchange.lm, following, response, exchange.asked + 1)


def _turn(exchange: Exchange, error: ParseError) -> list[Message]:
    """The reply as it was, and what to say to it."""
    response = exchange.response
    errors = [one if len(one) <= LONGEST else one[: LONGEST - 1] + "…" for one in error.errors or (str(error),)]
    told = render("reask/user.jinja", errors=errors[:MOST])
    if response.tool_calls and exchange.request.tools:
        # Providers want a result for each call before they go on.
        results = [Message("tool", told, tool_call_id=call.id) for call in response.tool_calls]
        return [Message("assistant", response.parts), *results]
    if not response.text.strip():
        return [Message("user", told)]  # providers refuse an empty message
    return [Message("assistant", response.text), Message("user", told)]
