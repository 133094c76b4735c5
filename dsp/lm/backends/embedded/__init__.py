"""The model that ships with the package: no network, no key, answers from the prompt alone."""

from dsp.lm.backends.embedded.backend import EmbeddedBackend

__all__ = ["EmbeddedBackend"]
