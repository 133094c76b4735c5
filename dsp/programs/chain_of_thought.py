"""Thinking before answering."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel
from typing_extensions import override

from dsp.errors import SignatureError
from dsp.programs.predict import Predict
from dsp.programs.prediction import Reasoned
from dsp.programs.running import Running

if TYPE_CHECKING:
    from dsp.signatures import Signature

I = TypeVar("I", bound=BaseModel)
O = TypeVar("O", bound=BaseModel)

__all__ = ["ChainOfThought"]

REASONING = "reasoning"


class ChainOfThought(Predict[I, O]):
    """A `Predict` that asks for the reasoning first; a drop-in for it, since the output's type stays `O`.

    `run` and `arun` return `Reasoned[O]`, which has `.reasoning`. If `O` has a field `reasoning` itself, that one is
    used. The method is Wei et al., Chain-of-Thought Prompting Elicits Reasoning in Large Language Models, 2022.
    """

    @override
    def __init_subclass__(cls, **kwargs: Any) -> None:  # Any: whatever a user's metaclass arguments are
        super().__init_subclass__(**kwargs)
        if "forward" in vars(cls):
            raise SignatureError(
                f"`{cls.__name__}` has a `forward`, which would lose the reasoning: write a `Program` that holds a "
                "`ChainOfThought` and calls it."
            )

    @override
    async def arun(self, inputs: I, /) -> Reasoned[O]:
        """Ask, and give the output with its reasoning and what it took. Raises what `Predict.arun` raises."""
        with Running(self) as running:
            parsed = await self._ask(inputs)
        run = running.run
        reasoning = parsed.leading.get(REASONING)
        if reasoning is None:
            reasoning = str(getattr(parsed.output, REASONING))
        return Reasoned(
            parsed.output, run.usage, run.cost, running.latency, tuple(run.calls), parsed.report, run.cached, reasoning
        )

    if TYPE_CHECKING:

        @override
        def run(self, inputs: I, /) -> Reasoned[O]: ...

    @override
    def _extended(self, signature: Signature[I, O]) -> Signature[I, O]:
        if any(field.name == REASONING for field in signature.output_fields):
            return signature
        return signature.leading(REASONING, str, "think step by step, before the rest")
