"""Language models: a backend under a stack of layers, each of which does one thing."""

from dsp.lm.backends.backend import Backend
from dsp.lm.closing import aclose, close
from dsp.lm.current import current_lm
from dsp.lm.key import CacheKey
from dsp.lm.layers.cache import Cache
from dsp.lm.layers.disk import DiskCache
from dsp.lm.layers.memory import MemoryCache
from dsp.lm.layers.permits import Limits
from dsp.lm.layers.retry import Retry
from dsp.lm.model import LM, check_params

__all__ = [
    "LM",
    "Backend",
    "Cache",
    "CacheKey",
    "DiskCache",
    "Limits",
    "MemoryCache",
    "Retry",
    "aclose",
    "check_params",
    "close",
    "current_lm",
]
