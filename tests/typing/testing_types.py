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

    ScriptedLM(["one", 3])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    ScriptedLM([no_reply])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    ScriptedLM([lambda request: request.modle])  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownLambdaType, reportUnknownMemberType]
    ScriptedLM([lambda: "one"])  # type: ignore[list-item, misc]  # pyright: ignore[reportArgumentType]
    ScriptedLM([TimeoutError])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    ScriptedLM(["one"], delay="1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ScriptedLM(["one"], temprature=0.0)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    ScriptedLM()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    lm.requests[0].mesages  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    lm.requests = []  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]

assert [lm("second"), lm("third"), lm("fourth")] == ["two", "third", "scripted/model"]
assert len(lm.requests) == 5
