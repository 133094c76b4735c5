"""Models that the tests of programs share."""

from __future__ import annotations

from pydantic import BaseModel


class Text(BaseModel):
    text: str = ""


class Question(Text): ...


class Query(Text): ...


class Answer(Text): ...


def chat(**fields: object) -> str:
    """A clean reply of a model to the chat adapter."""
    return "".join(f"[[ ## {name} ## ]]\n{value}\n\n" for name, value in fields.items()) + "[[ ## completed ## ]]"
