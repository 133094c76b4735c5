"""Test doubles: the ones that dsp's own tests use."""

from dsp.testing.scripted import Reply, ScriptedLM, ScriptEnded
from dsp.testing.server import OpenAIServer

__all__ = ["OpenAIServer", "Reply", "ScriptEnded", "ScriptedLM"]
