"""One tree of errors, and what they carry."""

from __future__ import annotations

import inspect
import pickle

import pytest

import dsp
from dsp import errors
from dsp.testing import ScriptedLM

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, dsp.DspError)]


def test_the_tree_has_two_branches() -> None:
    for kind in KINDS:
        assert kind is dsp.DspError or issubclass(kind, dsp.UsageError) != issubclass(kind, dsp.RunError)


def test_every_error_is_drawn_in_the_modules_tree() -> None:
    assert errors.__doc__ is not None
    assert [kind.__name__ for kind in KINDS if kind.__name__ not in errors.__doc__] == []


def test_every_error_is_on_the_face() -> None:
    assert [kind.__name__ for kind in KINDS if getattr(dsp, kind.__name__, None) is not kind] == []


def test_there_is_one_error_for_each_reason() -> None:
    from typing import get_args

    reasons = [
        kind.default_reason for kind in KINDS if issubclass(kind, dsp.LMError) and "default_reason" in vars(kind)
    ]
    assert sorted(set(reasons)) == sorted(get_args(errors.Reason))


@pytest.mark.parametrize(
    "error",
    [
        dsp.ParseError("no output", reply="the reply", missing=("a",), errors=("`a` is missing.",)),
        dsp.LimitExceeded("too much", limit="calls", value=2, allowed=1),
        dsp.RateLimited("slow down", status=429, retry_after=2.0),
        dsp.InputError("wrong"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_travel_to_other_processes(error: dsp.DspError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_an_error_of_a_run_travels_with_what_was_spent() -> None:
    lm = ScriptedLM([dsp.RateLimited("slow down")], retry=None)
    with pytest.raises(dsp.RateLimited) as caught:
        lm("hello")
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.calls[0].error.reason == "rate_limited"
