"""Examples, signatures, predictions, history, limits and errors: what is passed around."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal, assert_never, assert_type

from pydantic import BaseModel, JsonValue

import dsp
from dsp import Example, HistoryEntry, Predict, Prediction, Signature, Usage, UsageLimits
from dsp.errors import Reason
from dsp.testing import ScriptedLM
from dsp.tracing import CallEnded, Event, ProgramEnded, ProgramStarted, listening


class Question(BaseModel):
    text: str = ""


class Answer(BaseModel):
    text: str = ""


class Other(BaseModel):
    number: int = 0


lm = ScriptedLM(["[[ ## text ## ]]\nParis\n\n[[ ## completed ## ]]"] * 10)
answer = Predict[Question, Answer](lm=lm)

# -- examples
example = Example(Question(text="2 + 2?"), Answer(text="4"), {"source": "school"})
assert_type(example, Example[Question, Answer])
assert_type(example.inputs, Question)
assert_type(example.expected.text, str)
assert_type(example.metadata, Mapping[str, JsonValue])
assert_type(Example.from_json(example.to_json(), Question, Answer), Example[Question, Answer])

# -- signatures
signature = Signature.of(Question, Answer, "Answer.", name="qa")
assert_type(signature, Signature[Question, Answer])
assert_type(signature.input, type[Question])
assert_type(signature.output, type[Answer])
assert_type(signature.with_instructions("Answer well."), Signature[Question, Answer])
assert_type(signature.output_fields, tuple[dsp.SignatureField, ...])
assert_type(signature.json_schema(), dsp.OutputSchema)
assert_type(signature.fingerprint, str)

# -- predictions
prediction = answer.run(Question())
assert_type(prediction, Prediction[Answer])
assert_type(prediction.output, Answer)
assert_type(prediction.usage, Usage)
assert_type(prediction.usage.prompt_tokens + prediction.usage.completion_tokens, int)
assert_type(prediction.usage + prediction.usage, Usage)
assert_type(prediction.cost, float | None)
assert_type(prediction.latency, float)
assert_type(prediction.calls, tuple[HistoryEntry, ...])
assert_type(prediction.cached, bool)
assert_type(prediction.parse, dsp.ParseReport | None)
if prediction.parse is not None:
    assert_type(prediction.parse.rung, Literal["direct", "repaired", "reread", "reasked", "next_adapter"])
    assert_type(prediction.parse.repairs, tuple[str, ...])

# -- history
assert_type(dsp.history(), Sequence[HistoryEntry])
for entry in dsp.history(3):
    assert_type(entry.program, str)
    assert_type(entry.parent_id, str | None)
    assert_type(entry.at, datetime)
    assert_type(entry.request.messages[0].text, str)
    assert_type(entry.response, dsp.Response | None)
    assert_type(entry.cost, float | None)
    assert_type(entry.cache, Literal["hit", "miss", "off"])
    assert_type(entry.attempts[0].latency, float)
    if entry.error is not None:
        assert_type(entry.error.status, int | None)

# -- accounts and limits
with dsp.track() as account:
    answer(Question())
assert_type(account.usage, Usage)
assert_type(account.cost, float | None)
assert_type(account.calls, list[HistoryEntry])
with UsageLimits(calls=3, tokens=10_000, cost=0.5, seconds=60) as spent:
    answer(Question())
assert_type(spent.usage.total_tokens, int)


# -- errors
def told(error: dsp.DspError) -> str:
    if isinstance(error, dsp.RateLimited):
        assert_type(error.retry_after, float | None)
    if isinstance(error, dsp.LMError):
        assert_type(error.reason, Reason)
        assert_type(error.model, str | None)
        assert_type(error.status, int | None)
        assert_type(error.attempts, int)
        return error.reason
    if isinstance(error, dsp.ParseError):
        assert_type(error.missing, tuple[str, ...])
        assert_type(error.errors, tuple[str, ...])
        return error.reply
    if isinstance(error, dsp.LimitExceeded):
        assert_type(error.value, float)
        assert_type(error.allowed, float)
        return error.limit
    if isinstance(error, dsp.RunError):
        assert_type(error.usage, Usage)
        assert_type(error.cost, float | None)
        assert_type(error.calls, tuple[HistoryEntry, ...])
    return str(error)


# -- what a listener is told while a program runs
def heard(event: Event) -> str:
    match event:
        case ProgramStarted():
            return event.program
        case ProgramEnded():
            assert_type(event.latency, float)
            assert_type(event.error, BaseException | None)
            return event.program
        case CallEnded():
            return event.entry.model
        case _:
            assert_never(event)


told_events: list[str] = []
with listening(lambda event: told_events.append(heard(event))):
    answer(Question())

# -- mistakes that both checkers find
if TYPE_CHECKING:
    Example(Question(), "4")  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
    Example(Question())  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Example(inputs=Question(), output=Answer())  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    example.expected.number  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    example.inputs = Question()  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    other: Example[Question, Other] = example  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    Example.from_json("", Question, int)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]

    Signature.of(Question, int)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
    Signature.of(Question(), Answer)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Signature.of(Question)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Signature.of(Question, Answer, 3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    signature.instructions = "Answer."  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    signature.with_instructions(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    mixed: Signature[Question, Other] = signature  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

    prediction.output.number  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    prediction.outptu  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    prediction.output = Answer()  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    prediction.usage + 3  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue, reportUnusedExpression]
    prediction.cost + 1.0  # type: ignore[operator]  # pyright: ignore[reportOptionalOperand, reportUnusedExpression]
    prediction.parse.rung  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]
    elsewhere: Prediction[Other] = prediction  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

    dsp.history("3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    dsp.history()[0].responce  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    dsp.history()[0].response.text  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]
    dsp.history().append(dsp.history()[0])  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]

    dsp.inspect_history("3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    dsp.load_env(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    UsageLimits(calls="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    UsageLimits(call=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    spent.usge  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]

    def mistold(error: dsp.RunError, lm_error: dsp.LMError) -> str:
        if error.reason == "timeout":  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
            return "late"
        lm_error.reason == "time_out"  # type: ignore[comparison-overlap]  # pyright: ignore[reportUnnecessaryComparison, reportUnusedExpression]
        lm_error.retry_after + 1  # type: ignore[operator]  # pyright: ignore[reportOptionalOperand, reportUnusedExpression]
        error.mesage  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        return error.usage  # type: ignore[return-value]  # pyright: ignore[reportReturnType]

    def half_heard(event: Event) -> str:
        match event:
            case ProgramStarted() | ProgramEnded():
                return event.program
            case _:
                assert_never(event)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    listening(print, 3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    listening(told_events.append)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    dsp.ParseError("no text")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    dsp.LMError("no answer", reason="timeout")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    dsp.Timeout("no answer", status="504")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

assert told_events == ["Predict[Question, Answer]", "scripted/model", "Predict[Question, Answer]"]
assert told(dsp.RateLimited("slow down")) == "rate_limited"
