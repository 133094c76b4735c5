"""What was spent: tokens, as providers count them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Usage"]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one request, or of several added up.

    Example:
        >>> Usage(prompt_tokens=10, completion_tokens=5) + Usage(prompt_tokens=1)
        Usage(prompt_tokens=11, completion_tokens=5, reasoning_tokens=0, cached_tokens=0)
    """

    prompt_tokens: int = 0
    """Tokens read, those that the provider had cached included."""
    completion_tokens: int = 0
    """Tokens written, reasoning included."""
    reasoning_tokens: int = 0
    """The part of `completion_tokens` that the model spent on thinking."""
    cached_tokens: int = 0
    """The part of `prompt_tokens` that the provider read from its own prompt cache."""

    @property
    def total_tokens(self) -> int:
        """Tokens read and written."""
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: Usage, /) -> Usage:
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
            self.cached_tokens + other.cached_tokens,
        )
