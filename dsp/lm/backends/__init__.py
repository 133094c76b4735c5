"""The things that perform one request: direct, LiteLLM, embedded. Each is imported when it is chosen, not before."""

from dsp.lm.backends.backend import Backend
from dsp.lm.backends.choose import choose

__all__ = ["Backend", "choose"]
