"""Programs called by keyword, each field checked: `ask`, `taking` and `@lm_function`."""

from __future__ import annotations

import difflib
import inspect
import types
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, Union, cast, get_origin, get_type_hints

from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, ValidationError, create_model
from pydantic.errors import PydanticUserError

from dsp.bridge import run_sync
from dsp.errors import InputError, SignatureError
from dsp.programs.predict import Predict
from dsp.programs.program import Program

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

P = ParamSpec("P")
Out = TypeVar("Out", covariant=True)
O = TypeVar("O", bound=BaseModel)

__all__ = ["Asker", "LMFunction", "ask", "lm_function"]


class Asker(Generic[P, Out]):
    """A program called with the fields of its input model."""

    program: Program[Any, Out]  # Any: the input is what `model` makes, and P says what that takes

    def __init__(self, program: Program[Any, Out], model: Callable[P, Any]) -> None:
        """Prepares the calls; nothing is asked yet.

        Raises:
            SignatureError: A union, which has no fields to be called with.
        """
        if get_origin(model) in (Union, types.UnionType):
            raise SignatureError(f"`{model}` has no fields of its own: name one of its models.")
        self.program = program
        self._model = model

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> Out:
        """Run, and give the output.

        Raises:
            InputError: A field is missing, unknown, or has a value that the model refuses; nothing was spent.
            RunError: The run failed.
        """
        return self.program(self.inputs(*args, **kwargs))

    async def acall(self, /, *args: P.args, **kwargs: P.kwargs) -> Out:
        """Run, and give the output. Raises what calling raises."""
        return await self.program.acall(self.inputs(*args, **kwargs))

    def inputs(self, /, *args: P.args, **kwargs: P.kwargs) -> Any:  # Any: an instance of the program's input model
        """The input that these fields make.

        Raises:
            InputError: A field is missing, unknown, or has a value that the model refuses.
        """
        made_by: object = self._model
        if isinstance(made_by, type) and issubclass(made_by, BaseModel):
            _check_call(made_by, args, kwargs)
        try:
            return self._model(*args, **kwargs)
        except ValidationError as error:
            raise InputError(_explained(error)) from error


def _check_call(model: type[BaseModel], args: tuple[Any, ...], given: dict[str, Any]) -> None:
    """Find what the model would drop without a word, or answer with Python's own error."""
    known = {taken: name for name, field in model.model_fields.items() for taken in _taken(model, name, field)}
    if args or model.__pydantic_custom_init__:
        made = inspect.signature(model.__init__)
        try:
            made.bind(None, *args, **given)
        except TypeError as error:
            names = ", ".join(f"{name}=..." for name in known)
            raise InputError(f"`{model.__name__}` cannot be made of that: {error}. It takes {names}.") from error
        known.update((name, name) for name in made.parameters)
    if model.__pydantic_root_model__:
        if args and given:
            raise InputError(f"`{model.__name__}` takes one value, and got `{next(iter(given))}` beside it.")
        return
    for name in given:
        if name in known:
            continue
        if name in model.model_fields:
            aliases = " or ".join(f"`{taken}`" for taken, field in known.items() if field == name)
            raise InputError(
                f"`{model.__name__}` does not take `{name}` by that name, but by its alias: write {aliases}."
            )
        if model.model_config.get("extra") != "allow":
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"it has {', '.join(sorted(known))}."
            raise InputError(f"`{model.__name__}` has no field `{name}`: {hint}")


def _taken(model: type[BaseModel], name: str, field: FieldInfo) -> Iterator[str]:
    """The keywords from which Pydantic fills a field."""
    config = model.model_config
    by_alias = config.get("validate_by_alias", True)
    by_name = config.get("validate_by_name")
    if by_name is None:
        by_name = config.get("populate_by_name", not by_alias)
    alias = field.validation_alias
    if alias is None or by_name:
        yield name
    if alias is not None and by_alias:
        for choice in alias.choices if isinstance(alias, AliasChoices) else (alias,):
            yield str(choice.path[0]) if isinstance(choice, AliasPath) else choice


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

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> Out:
        """Ask the model.

        Raises:
            InputError: An argument is missing, unknown, or of the wrong type; nothing was spent.
            RunError: The run failed.
        """
        return run_sync(self.acall(*args, **kwargs))

    async def acall(self, /, *args: P.args, **kwargs: P.kwargs) -> Out:
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

    The body is never run. The return type is a Pydantic model. In async code, await the function's `acall`.

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
        SignatureError: A parameter without a type or with a name that no field can have, `*args` or `**kwargs`, a return
            type that is no model, an `async def`, or something that is no function.
    """
    return LMFunction(fn)


def _predict_of(fn: Callable[..., Any]) -> Predict[Any, Any]:
    name = _name_of(fn)
    try:
        hints, parameters = get_type_hints(fn, include_extras=True), inspect.signature(fn).parameters
    except (NameError, AttributeError, SyntaxError, TypeError, ValueError) as error:
        raise SignatureError(
            f"The types of `{name}` cannot be read: {error}. Define the models at the top of the module."
        ) from error
    fields: dict[str, Any] = {}
    for parameter in parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise SignatureError(f"`{name}` takes `{parameter}`: a prompt needs parameters with names.")
        if parameter.name not in hints:
            raise SignatureError(f"The parameter `{parameter.name}` of `{name}` has no type: write one.")
        if parameter.name.startswith("_") or (
            parameter.name.startswith("model_") and hasattr(BaseModel, parameter.name)
        ):
            raise SignatureError(
                f"The parameter `{parameter.name}` of `{name}` cannot be the name of a model's field: choose another."
            )
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[parameter.name] = (hints[parameter.name], default)
    returned: Any = hints.get("return")
    if returned is None:
        raise SignatureError(f"`{name}` has no return type: write `-> YourModel`.")
    instructions = inspect.cleandoc(fn.__doc__) if fn.__doc__ else None
    made: Predict[Any, Any] = Predict.of(_model_of(name, fn.__module__, fields), returned, instructions)
    return made


def _name_of(fn: Callable[..., Any]) -> str:
    name: object = getattr(fn, "__name__", None)
    if not isinstance(name, str):
        raise SignatureError(f"{fn!r:.80} has no name to go by: decorate a function that is written with `def`.")
    if inspect.iscoroutinefunction(fn) or inspect.isasyncgenfunction(fn):
        raise SignatureError(
            f"`{name}` is `async def`: write a plain `def`, and `await {name}.acall(...)` where it is called."
        )
    return name


def _model_of(name: str, module: str, fields: dict[str, Any]) -> type[BaseModel]:
    """A model whose fields are a function's parameters: filled by those names, whatever aliases they have."""
    config = ConfigDict(extra="forbid", validate_by_name=True, validate_by_alias=False, protected_namespaces=())
    title = f"{name.title().replace('_', '')}Inputs"
    with warnings.catch_warnings():
        # Parameters may be called `json` or `copy`: nobody calls the methods of that name on this model.
        warnings.filterwarnings("ignore", message=r'Field name "\w+" in .* shadows an attribute', category=UserWarning)
        try:
            return create_model(title, __config__=config, __module__=module, **fields)
        except (PydanticUserError, NameError, TypeError, ValueError) as error:
            raise SignatureError(f"No model can be made of the parameters of `{name}`: {error}") from error
