"""Programs called by keyword, each field checked: `ask`, `taking` and `@lm_function`."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar, cast, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from dsp.bridge import run_sync
from dsp.errors import InputError, SignatureError
from dsp.programs.predict import Predict
from dsp.programs.program import Program

P = ParamSpec("P")
Out = TypeVar("Out", covariant=True)
O = TypeVar("O", bound=BaseModel)

__all__ = ["Asker", "LMFunction", "ask", "lm_function"]


class Asker(Generic[P, Out]):
    """A program called with the fields of its input model."""

    program: Program[Any, Out]  # Any: the input is what `model` makes, and P says what that takes

    def __init__(self, program: Program[Any, Out], model: Callable[P, Any]) -> None:
        self.program = program
        self._model = model

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Out:
        """Run, and give the output.

        Raises:
            InputError: A field is missing, unknown, or has a value that the model refuses; nothing was spent.
            RunError: The run failed.
        """
        return self.program(self.inputs(*args, **kwargs))

    async def acall(self, *args: P.args, **kwargs: P.kwargs) -> Out:
        """Run, and give the output. Raises what calling raises."""
        return await self.program.acall(self.inputs(*args, **kwargs))

    def inputs(self, *args: P.args, **kwargs: P.kwargs) -> Any:  # Any: an instance of the program's input model
        """The input that these fields make.

        Raises:
            InputError: A field is missing, unknown, or has a value that the model refuses.
        """
        made_by: object = self._model
        if isinstance(made_by, type) and issubclass(made_by, BaseModel):
            _check_names(made_by, kwargs)
        try:
            return self._model(*args, **kwargs)
        except ValidationError as error:
            raise InputError(_explained(error)) from error


def _check_names(model: type[BaseModel], given: dict[str, Any]) -> None:
    """Pydantic drops keywords that it does not know; in a call they are a slip of the pen."""
    if model.model_config.get("extra") == "allow" or model.__pydantic_root_model__:
        return
    known = set(model.model_fields)
    for field in model.model_fields.values():
        known.update(name for name in (field.alias, field.validation_alias) if isinstance(name, str))
    paths = any(not isinstance(field.validation_alias, str | None) for field in model.model_fields.values())
    for name in given:
        if name not in known and not paths:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"it has {', '.join(sorted(known))}."
            raise InputError(f"`{model.__name__}` has no field `{name}`: {hint}")


def _explained(error: ValidationError) -> str:
    lines = [
        f"`{'.'.join(map(str, each['loc'])) or error.title}`: {each['msg']}, got {each['input']!r:.80}"
        for each in error.errors(include_url=False)
    ]
    return f"The input is no `{error.title}`: " + "; ".join(lines) + ". Nothing was sent."


def ask(inputs: Callable[P, BaseModel], output: type[O], instructions: str | None = None) -> Asker[P, O]:
    """A `Predict` called by keyword.

    Example:
        >>> class Question(BaseModel):
        ...     question: str
        ...     text: str
        >>> class Answer(BaseModel):
        ...     answer: str
        >>> import dsp
        >>> answer = ask(Question, Answer, "Answer in one sentence.")
        >>> with dsp.context(lm="embedded"):
        ...     answer(question="Where is the Louvre?", text="The Louvre is in Paris.")
        Answer(answer='The Louvre is in Paris.')

    Raises:
        SignatureError: One of the two is no Pydantic model.
    """
    model = cast("type[BaseModel]", inputs)  # checked by Predict.of; P has its constructor's parameters
    return Asker(Predict.of(model, output, instructions), inputs)


class LMFunction(Generic[P, Out]):
    """A function that a model answers in place of its body."""

    program: Predict[Any, Any]  # Any: its models are made from the function's signature
    __name__: str

    def __init__(self, fn: Callable[P, Out]) -> None:
        self.program = _predict_of(fn)
        self.__name__ = fn.__name__
        self.__doc__ = fn.__doc__
        self.__wrapped__ = fn
        self._signature = inspect.signature(fn)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Out:
        """Ask the model.

        Raises:
            InputError: An argument is missing, unknown, or of the wrong type; nothing was spent.
            RunError: The run failed.
        """
        return run_sync(self.acall(*args, **kwargs))

    async def acall(self, *args: P.args, **kwargs: P.kwargs) -> Out:
        """Ask the model. Raises what calling raises."""
        try:
            bound = self._signature.bind(*args, **kwargs)
        except TypeError as error:
            raise InputError(f"{self.__name__}{self._signature} was called with other arguments: {error}.") from error
        model: type[BaseModel] = self.program.signature.input
        try:
            inputs = model(**bound.arguments)
        except ValidationError as error:
            raise InputError(_explained(error)) from error
        return cast("Out", await self.program.acall(inputs))  # the output model is the function's return type


def lm_function(fn: Callable[P, O], /) -> LMFunction[P, O]:
    """Have a model answer a typed function: parameters are the inputs, the docstring is the instructions.

    The body is never run. The return type is a Pydantic model.

    Example:
        >>> class Answer(BaseModel):
        ...     answer: str
        >>> @lm_function
        ... def answer(question: str, text: str) -> Answer:
        ...     '''Answer in one sentence.'''
        ...     raise NotImplementedError
        >>> import dsp
        >>> with dsp.context(lm="embedded"):
        ...     answer("Where is the Louvre?", text="The Louvre is in Paris.").answer
        'The Louvre is in Paris.'

    Raises:
        SignatureError: A parameter without a type, `*args` or `**kwargs`, or a return type that is no model.
    """
    return LMFunction(fn)


def _predict_of(fn: Callable[..., Any]) -> Predict[Any, Any]:
    name = fn.__name__
    try:
        hints = get_type_hints(fn, include_extras=True)
    except NameError as error:
        raise SignatureError(
            f"The types of `{name}` cannot be read: {error}. Define the models at the top of the module."
        ) from error
    fields: dict[str, Any] = {}
    for parameter in inspect.signature(fn).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise SignatureError(f"`{name}` takes `{parameter}`: a prompt needs parameters with names.")
        if parameter.name not in hints:
            raise SignatureError(f"The parameter `{parameter.name}` of `{name}` has no type: write one.")
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[parameter.name] = (hints[parameter.name], default)
    returned: Any = hints.get("return")
    if returned is None:
        raise SignatureError(f"`{name}` has no return type: write `-> YourModel`.")
    config = ConfigDict(extra="forbid", arbitrary_types_allowed=False)
    model = create_model(
        f"{name.title().replace('_', '')}Inputs", __config__=config, __module__=fn.__module__, **fields
    )
    instructions = inspect.cleandoc(fn.__doc__) if fn.__doc__ else None
    made: Predict[Any, Any] = Predict.of(model, returned, instructions)
    return made
