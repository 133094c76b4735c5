"""A pipeline with a fan-out: read a text, take two things from it at once, and write one line.

dsp run examples/briefing.py:briefing --lm embedded --input '{"text": "The bridge opens on 2027-03-01. It cost 12 million."}'
"""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, Field

import dsp


class Article(BaseModel):
    """What is read."""

    text: str


class Headline(BaseModel):
    """What it is about."""

    headline: str = Field(max_length=80, description="the main point of the text")


class Opening(BaseModel):
    """When it happens."""

    day: date = Field(description="the date that the text names")


def in_one_line(headline: Headline, opening: Opening) -> str:
    """Put the two together."""
    return f"{opening.day:%d %B %Y}: {headline.headline}"


headline = dsp.Predict[Article, Headline]("Say what the text is about.")
opening = dsp.Predict[Article, Opening]("Find the date.")
briefing = (headline & opening).join(in_one_line)


def main() -> None:
    """Brief one article."""
    with dsp.context(lm="embedded"):
        print(briefing(Article(text="The new bridge opens on 2027-03-01. It cost 12 million and took four years.")))


if __name__ == "__main__":
    main()
