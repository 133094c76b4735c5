"""An adapter of a user's own, as the guide shows it: thirty lines, and everything else comes with it."""

from __future__ import annotations

import ast
import re
import types
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

import dsp
from dsp.testing import ScriptedLM

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "adapters.md"


class Question(BaseModel):
    text: str = ""


class Answer(BaseModel):
    answer: str
    score: int


LINES = "answer: Paris\nscore: 7"
PARIS = Answer(answer="Paris", score=7)


def source() -> str:
    (block,) = (
        one for one in re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL) if "LinesAdapter" in one
    )
    return block


def lines_adapter() -> dsp.Adapter:
    """The class in the guide, made from the guide."""
    tree = ast.parse(source())
    kept = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom | ast.ClassDef)]
    module = types.ModuleType("guide")
    module.__dict__["dsp"] = dsp
    exec(compile(ast.Module(kept, []), str(GUIDE), "exec"), module.__dict__)
    made: dsp.Adapter = module.__dict__["LinesAdapter"]()
    return made


def asking(adapter: dsp.Adapter, *replies: Any, **more: Any) -> tuple[dsp.Predict[Question, Answer], ScriptedLM]:
    lm = ScriptedLM(replies, **more)
    return dsp.Predict[Question, Answer]("Answer.", lm=lm, adapter=adapter), lm


def test_it_takes_thirty_lines() -> None:
    (node,) = (node for node in ast.parse(source()).body if isinstance(node, ast.ClassDef))
    assert node.end_lineno is not None
    assert node.end_lineno - node.lineno < 30


def test_it_writes_and_reads() -> None:
    demo = dsp.Example(Question(text="2 + 2?"), Answer(answer="4", score=9))
    program, lm = asking(lines_adapter(), LINES)
    program = program.with_(demos=[demo])
    assert program(Question(text="Where?")) == PARIS
    assert [message.text for message in lm.requests[0].messages] == [
        "Answer.\n\nAnswer with these lines alone:\nanswer: {string}\nscore: {integer}",
        "text: 2 + 2?",
        "answer: 4\nscore: 9",
        "text: Where?",
    ]


def test_its_values_are_mended() -> None:
    assert asking(lines_adapter(), "answer: Paris\nscore: seven, I mean 7")[0].signature
    assert asking(lines_adapter(), "answer: Paris\nscore: `7`")[0](Question()) == PARIS


def test_a_bad_reply_is_dropped_from_the_cache() -> None:
    program, lm = asking(lines_adapter(), "no lines", LINES, cache=dsp.MemoryCache())
    with pytest.raises(dsp.ParseError):
        program(Question())
    assert program(Question()) == program(Question()) == PARIS
    assert len(lm.requests) == 2


@pytest.mark.parametrize(
    ("replies", "rung"),
    [
        ([LINES], "direct"),
        (['{"answer": "Paris", "score": 7}'], "reread"),
        (["hm", LINES], "reasked"),
        (["hm", "hm", '{"answer": "Paris", "score": 7}'], "next_adapter"),
        (["hm", "hm", LINES], "next_adapter"),
    ],
)
def test_it_stands_on_the_ladder(replies: list[str], rung: str) -> None:
    run = asking(dsp.FallbackAdapter(lines_adapter(), dsp.JSONAdapter()), *replies)[0].run(Question())
    assert run.output == PARIS
    assert run.parse is not None
    assert run.parse.rung == rung


class Patient(dsp.BaseAdapter):
    """Asks in a way of its own: it thinks aloud first, in the same conversation."""

    name = "patient"

    def format(self, signature: Any, inputs: Any, **more: Any) -> dsp.Prompt:
        return dsp.ChatAdapter().format(signature, inputs, **more)

    def parse(self, signature: Any, reply: Any) -> dsp.Parsed[Any]:
        return dsp.ChatAdapter().parse(signature, reply)

    async def ask(self, call: dsp.AdapterCall[Any, Any]) -> dsp.Exchange:
        thought = await call.lm.acomplete("Think: " + call.inputs.text)
        prompt = self.format(call.signature, call.inputs)
        request = dsp.Request(call.lm.model, (*prompt.messages, dsp.Message("user", thought.text)), call.params)
        return dsp.Exchange(call.lm, request, await call.lm.acomplete(request), 2)


def test_another_way_of_asking_keeps_the_repair_turn() -> None:
    good = "[[ ## answer ## ]]\nParis\n[[ ## score ## ]]\n7\n[[ ## completed ## ]]"
    program, lm = asking(dsp.FallbackAdapter(Patient(), dsp.JSONAdapter()), "hm", "bad", good)
    run = program.run(Question(text="Where?"))
    assert run.output == PARIS
    assert run.parse == dsp.ParseReport("chat", "reasked", 3)
    assert [message.text for message in lm.requests[2].messages][2:4] == ["hm", "bad"]
    run = asking(Patient(), "hm", good)[0].run(Question())
    assert run.parse == dsp.ParseReport("chat", "direct", 2)
