"""Six mistakes that are easy to make in `programs.py`, for the type checker to find."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MISTAKES", "Mistake", "planted"]


@dataclass(frozen=True)
class Mistake:
    """A line, and what a tired person might have written there."""

    right: str
    """Part of one line of the source, and of no other."""
    wrong: str
    what: str
    """What is wrong with it, in a few words."""


MISTAKES = (
    Mistake("manual().search(search.words, 5)", "manual().search(search.word, 5)", "a misspelt field"),
    Mistake("await self.answer.acall(inputs)", "await self.answer.acall(inputs.question)", "the wrong input"),
    Mistake("plan >> find >> Grounded()", "plan >> Grounded()", "a pipeline whose ends do not meet"),
    Mistake("dsp.Predict[Docstring, Origin](", "dsp.Predict[Docstring, Module](", "an output that is no model"),
    Mistake("dsp.Example(Docstring(text=text)", "dsp.Example(Question(text=text)", "an example for another program"),
    Mistake("answer.module is row.expected.module", "answer.module == row.expected", "a metric that is never true"),
)


def planted(source: str) -> tuple[str, dict[int, Mistake]]:
    """A source with all the mistakes in it, and the number of the line where each stands.

    Raises:
        ValueError: A line to replace is missing, or there twice.
    """
    places: dict[int, Mistake] = {}
    for mistake in MISTAKES:
        if source.count(mistake.right) != 1:
            raise ValueError(f"{mistake.right!r} stands {source.count(mistake.right)} times in the source, not once.")
        places[source[: source.index(mistake.right)].count("\n") + 1] = mistake
    for mistake in MISTAKES:
        source = source.replace(mistake.right, mistake.wrong)
    return source, dict(sorted(places.items()))
