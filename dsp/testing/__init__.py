"""Test doubles: the ones that dsp's own tests use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsp.testing.scripted import Reply, ScriptedLM, ScriptEnded

if TYPE_CHECKING:
    from dsp.testing.server import OpenAIServer

__all__ = ["OpenAIServer", "Reply", "ScriptEnded", "ScriptedLM"]


def __getattr__(name: str) -> object:
    if name == "OpenAIServer":  # loaded when it is used: it brings aiohttp, and a scripted model needs none
        from dsp.testing.server import OpenAIServer

        return OpenAIServer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
