"""Programs called by keyword: which names are taken, which functions can be answered by a model."""

from __future__ import annotations

import asyncio
import functools
import warnings
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field, RootModel

import dsp
from dsp.testing import ScriptedLM

from .models import Answer, Question, chat


class ByAlias(BaseModel):
    q: str = Field("DEFAULT", alias="question")


class ByNameToo(ByAlias):
    model_config = ConfigDict(validate_by_name=True)


class Populated(ByAlias):
    model_config = ConfigDict(populate_by_name=True)


class ByNameOnly(ByAlias):
    model_config = ConfigDict(validate_by_alias=False, validate_by_name=True)


class ByCamel(BaseModel):
    model_config = ConfigDict(alias_generator=lambda name: name.title())
    q: str = "DEFAULT"


class ByMany(BaseModel):
    q: str = Field("DEFAULT", validation_alias=AliasChoices("question", AliasPath("questions", 0)))


class ByTwo(BaseModel):
    q: str = Field("DEFAULT", alias="shown", validation_alias="question")


class WithMore(BaseModel):
    model_config = ConfigDict(extra="allow")
    q: str = Field("DEFAULT", alias="question")


class Several(RootModel[list[str]]): ...


class OwnInit(BaseModel):
    q: str

    def __init__(self, words: str) -> None:
        super().__init__(q=words)


class Selfish(BaseModel):
    self: str


def asked(model: Callable[..., BaseModel], *args: Any, **fields: Any) -> str:
    """The prompt that is sent for these fields."""
    lm = ScriptedLM([chat(text="x")])
    with dsp.context(lm=lm):
        assert dsp.ask(model, Answer)(*args, **fields) == Answer(text="x")
    return lm.requests[0].messages[-1].text


def refused(model: Callable[..., BaseModel], *args: Any, **fields: Any) -> str:
    """What is said of fields that cannot be."""
    lm = ScriptedLM([])
    with dsp.context(lm=lm), pytest.raises(dsp.InputError) as caught:
        dsp.ask(model, Answer)(*args, **fields)
    assert lm.requests == []
    return str(caught.value)


class TestTheNamesOfFields:
    @pytest.mark.parametrize(
        ("model", "fields"),
        [
            (ByAlias, {"question": "hello"}),
            (ByNameToo, {"question": "hello"}),
            (ByNameToo, {"q": "hello"}),
            (Populated, {"q": "hello"}),
            (ByNameOnly, {"q": "hello"}),
            (ByCamel, {"Q": "hello"}),
            (ByMany, {"question": "hello"}),
            (ByMany, {"questions": ["hello"]}),
            (ByTwo, {"question": "hello"}),
            (WithMore, {"question": "hello", "more": "x"}),
            (Several, {"root": ["hello"]}),
            (OwnInit, {"words": "hello"}),
            (Selfish, {"self": "hello"}),
        ],
    )
    def test_what_pydantic_takes_is_sent(self, model: type[BaseModel], fields: dict[str, Any]) -> None:
        prompt = asked(model, **fields)
        assert "hello" in prompt
        assert "DEFAULT" not in prompt

    @pytest.mark.parametrize(
        ("model", "name", "hint"),
        [
            (ByAlias, "q", "write `question`"),
            (ByNameOnly, "question", "no field `question`: it has q"),
            (ByCamel, "q", "write `Q`"),
            (ByMany, "q", "write `question` or `questions`"),
            (ByTwo, "q", "write `question`"),
            (ByTwo, "shown", "no field `shown`"),
            (WithMore, "q", "write `question`"),
            (ByAlias, "qestion", "did you mean `question`"),
            (OwnInit, "q", "words"),
        ],
    )
    def test_what_pydantic_would_drop_is_an_error_that_names_what_it_takes(
        self, model: type[BaseModel], name: str, hint: str
    ) -> None:
        assert hint in refused(model, **{name: "hello"})

    @pytest.mark.parametrize(
        ("model", "args", "fields", "hint"),
        [
            (Question, ("x",), {}, "text=..."),
            (Question, (Question(text="x"),), {}, "text=..."),
            (Several, (["x"], ["y"]), {}, "root=..."),
            (Several, (["x"],), {"more": "y"}, "`more`"),
            (OwnInit, (), {}, "words"),
        ],
    )
    def test_what_cannot_be_called_so_is_an_input_error(
        self, model: type[BaseModel], args: tuple[Any, ...], fields: dict[str, Any], hint: str
    ) -> None:
        assert hint in refused(model, *args, **fields)

    def test_a_root_model_is_called_with_its_value(self) -> None:
        assert "hello" in asked(Several, ["hello"])

    def test_a_union_has_no_fields(self) -> None:
        with pytest.raises(dsp.SignatureError, match="name one of its models"):
            dsp.ask(Question | ByAlias, Answer)  # type: ignore[arg-type]


def a_json(json: str, copy: str = "c", schema: int = 1) -> Answer:  # type: ignore[empty-body]
    """Names that Pydantic's own models have."""


def a_self(self: str, fn: str) -> Answer:  # type: ignore[empty-body]
    """Names of dsp's own parameters."""


def a_alias(text: Annotated[str, Field(alias="question")], times: int = 3) -> Answer:  # type: ignore[empty-body]
    """A name for the prompt."""


def a_position(text: str, /, *, model_name: str = "m") -> Answer:  # type: ignore[empty-body]
    """By position only, and a name of Pydantic's namespace."""


class TestTheNamesOfParameters:
    @pytest.mark.parametrize(
        ("fn", "args", "kwargs"),
        [
            (a_json, ("hello",), {}),
            (a_json, (), {"json": "hello", "copy": "d", "schema": 2}),
            (a_self, ("hello", "f"), {}),
            (a_self, (), {"self": "hello", "fn": "f"}),
            (a_alias, ("hello",), {}),
            (a_alias, (), {"text": "hello", "times": 4}),
            (a_position, ("hello",), {"model_name": "n"}),
        ],
    )
    def test_a_parameter_may_be_called_as_it_likes(
        self, fn: Callable[..., Answer], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        lm = ScriptedLM([chat(text="x")] * 2)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            answer = dsp.lm_function(fn)
        with dsp.context(lm=lm):
            assert answer(*args, **kwargs) == asyncio.run(answer.acall(*args, **kwargs)) == Answer(text="x")
        assert "hello" in lm.requests[0].messages[-1].text

    def test_what_no_field_can_be_called_is_said_at_the_definition(self) -> None:
        def underscore(_x: str) -> Answer: ...  # type: ignore[empty-body]
        def config(model_config: str) -> Answer: ...  # type: ignore[empty-body]
        def method(model_dump: str) -> Answer: ...  # type: ignore[empty-body]

        for fn, name in ((underscore, "_x"), (config, "model_config"), (method, "model_dump")):
            with pytest.raises(dsp.SignatureError, match=f"`{name}` of `{fn.__name__}`.*choose another"):
                dsp.lm_function(fn)


class Unknown:
    """A type that is no model and that JSON cannot say."""


class TestWhatIsNoFunctionToAnswer:
    def test_an_async_function_is_written_plain_and_awaited_by_acall(self) -> None:
        async def later(text: str) -> Answer: ...  # type: ignore[empty-body]

        with pytest.raises(dsp.SignatureError, match=r"plain `def`, and `await later\.acall"):
            dsp.lm_function(later)  # type: ignore[type-var]

    @pytest.mark.parametrize("thing", [functools.partial(a_json, copy="d"), 3, "text", None])
    def test_something_without_a_name(self, thing: Any) -> None:
        with pytest.raises(dsp.SignatureError, match="written with `def`"):
            dsp.lm_function(thing)

    def test_types_that_cannot_be_read_or_shown(self) -> None:
        def no_module(text: Missing.Text) -> Answer: ...  # type: ignore[name-defined,empty-body]  # noqa: F821
        def no_schema(text: Unknown) -> Answer: ...  # type: ignore[empty-body]

        for fn, hint in ((no_module, "cannot be read"), (no_schema, "no_schema")):
            with pytest.raises(dsp.SignatureError, match=hint):
                dsp.lm_function(fn)
        with pytest.raises(dsp.SignatureError):
            dsp.lm_function(min)  # type: ignore[type-var]
