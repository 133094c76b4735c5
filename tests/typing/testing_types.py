"""`ScriptedLM`: a model for tests, in every way in which a reply can be given."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_type

from pydantic import BaseModel

from dsp import LM, MemoryCache, Predict, RateLimited, Request, Response, Retry
from dsp.testing import Reply, ScriptedLM


class Question(BaseModel):
    text: str = ""


class Answer(BaseModel):
    text: str = ""


def echo(request: Request) -> str:
    return request.messages[-1].text


def whole(request: Request) -> Response:
    return Response.of_text(request.model)


replies: list[Reply] = ["one", Response.of_text("two"), RateLimited("slow down"), echo, whole]
lm = ScriptedLM(replies, temperature=0.0)
assert_type(lm("first"), str)
assert_type(lm.requests, list[Request])
assert_type(lm.requests[0].messages[0].text, str)
as_lm: LM = lm
ScriptedLM(["one", TimeoutError(), lambda request: request.model.upper(), lambda request: Response.of_text("two")])
ScriptedLM(["one"], 0.1, cache=MemoryCache(), retry=Retry(attempts=2), model="scripted/other")
answer = Predict[Question, Answer](lm=ScriptedLM(["[[ ## text ## ]]\nParis"]))
assert_type(answer(Question()), Answer)

if TYPE_CHECKING:

    def no_reply(request: Request) -> int:
        return 3

    ScriptedLM(["one", 3])  # wrong
    ScriptedLM([no_reply])  # wrong
    ScriptedLM([lambda request: request.modle])  # wrong
    ScriptedLM([lambda: "one"])  # wrong
    ScriptedLM([TimeoutError])  # wrong
    ScriptedLM(["one"], delay="1")  # wrong
    ScriptedLM(["one"], temprature=0.0)  # wrong
    ScriptedLM()  # wrong
    lm.requests[0].mesages  # wrong
    lm.requests = []  # wrong

assert [lm("second"), lm("third"), lm("fourth")] == ["two", "third", "scripted/model"]
assert len(lm.requests) == 5
