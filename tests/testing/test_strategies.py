"""Random signatures, values and mess: what they promise, and what repair makes of them."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, JsonValue

from dsp.repair import loads, parse
from dsp.signatures import Signature
from dsp.testing.strategies import mess, models, signatures, texts, values

QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large]
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=50, deadline=None, suppress_health_check=QUIET)
@given(st.data())
def test_a_value_of_a_model_is_one_and_survives_json(data: st.DataObject) -> None:
    model = data.draw(models())
    value = data.draw(values(model))
    assert isinstance(value, model)
    assert parse(value.model_dump_json(by_alias=True), model) == parse(value.model_dump_json(by_alias=True), model)
    assert parse(value.model_dump_json(by_alias=True), model).value == value


@settings(max_examples=30, deadline=None, suppress_health_check=QUIET)
@given(signatures())
def test_signatures_are_signatures(signature: Signature[BaseModel, BaseModel]) -> None:
    assert signature.output_fields
    assert signature.json_schema().schema


@settings(max_examples=300, deadline=None, suppress_health_check=QUIET)
@given(st.data())
def test_a_value_is_read_back_out_of_any_mess(data: st.DataObject) -> None:
    model = data.draw(models())
    value = data.draw(values(model))
    text = data.draw(mess(json.loads(value.model_dump_json(by_alias=True))))
    assert parse(text, model).value == value


@settings(max_examples=300, deadline=None, suppress_health_check=QUIET)
@given(st.data())
def test_json_without_a_type_is_read_back_out_of_any_mess(data: st.DataObject) -> None:
    value: JsonValue = [data.draw(json_values), 1]
    assert loads(data.draw(mess(value))) == value


def test_without_hypothesis_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    monkeypatch.delitem(sys.modules, "dsp.testing.strategies")
    with pytest.raises(ImportError, match="pip install hypothesis"):
        __import__("dsp.testing.strategies")
