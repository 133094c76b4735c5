"""The default way to ask: format, one completion, parse; what cannot be read is dropped from the caches."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import BaseModel

from dsp.adapters import AdapterCall, ChatAdapter, JSONAdapter
from dsp.errors import ParseError, RunError, Truncated
from dsp.messages import Request, Response
from dsp.signatures import Signature


class Question(BaseModel):
    text: str


class Answer(BaseModel):
    answer: str


class OneReply:
    """As much of a model as an adapter sees."""

    model = "test/one"

    def __init__(self, response: Response) -> None:
        self.response = response
        self.asked: list[Request] = []
        self.forgotten: list[Request] = []

    async def acomplete(self, request: Request) -> Response:
        self.asked.append(request)
        return self.response

    async def forget(self, request: Request) -> None:
        self.forgotten.append(request)


def call_on(lm: Any) -> AdapterCall[Question, Answer]:
    return AdapterCall(Signature.of(Question, Answer), Question(text="?"), lm, params={"temperature": 0.0})


def test_one_question_one_answer() -> None:
    lm = OneReply(Response.of_text('{"answer": "x"}'))
    parsed = asyncio.run(JSONAdapter().arun(call_on(lm)))
    assert parsed.output == Answer(answer="x")
    (request,) = lm.asked
    assert (request.model, request.params) == ("test/one", {"temperature": 0.0})
    assert request.response_format is not None
    assert lm.forgotten == []


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (Response.of_text("no marker"), ParseError),
        (Response.of_text("[[ ## answer ## ]]\nx", finish_reason="length"), Truncated),
    ],
)
def test_a_reply_that_cannot_be_read_is_forgotten(response: Response, error: type[RunError]) -> None:
    lm = OneReply(response)
    with pytest.raises(error):
        asyncio.run(ChatAdapter().arun(call_on(lm)))
    assert lm.forgotten == lm.asked
