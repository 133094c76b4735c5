"""What an adapter remembers of a signature goes when the signature goes."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
from pydantic import BaseModel

from dsp.adapters import ChatAdapter, JSONAdapter
from dsp.signatures import Example, Signature

CHAT, JSON = ChatAdapter(), JSONAdapter()


def used_up(adapter: Any) -> list[weakref.ref[Any]]:
    """Models and a signature that an adapter has worked with, and that nobody needs any more."""

    class Inner(BaseModel):
        again: list[Inner] = []

    class Question(BaseModel):
        text: str

    class Answer(BaseModel):
        inner: Inner

    signature = Signature.of(Question, Answer, "x")
    demo = Example(Question(text="s"), Answer(inner=Inner()))
    adapter.format(signature, Question(text="s"), demos=(demo,))
    adapter.parse(signature, '{"inner": {}}' if adapter is JSON else "[[ ## inner ## ]]\n{}")
    return [weakref.ref(one) for one in (signature, Question, Answer, Inner)]


@pytest.mark.parametrize("adapter", [CHAT, JSON])
def test_nothing_of_a_signature_outlives_it(adapter: Any) -> None:
    references = used_up(adapter)
    gc.collect()  # the signature goes, and with it what was kept beside it
    gc.collect()  # and so do the models, which that had held
    assert [reference() for reference in references] == [None] * 4
