"""Where a request goes, and with which key: what every error message needs to say."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dsp.errors import NotConfigured

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["OPENAI_URL", "SERVERS", "Target", "wire_name"]

OPENAI_URL = "https://api.openai.com/v1"
SERVERS = frozenset(
    (
        "custom_openai",
        "docker_model_runner",
        "hosted_vllm",
        "litellm_proxy",
        "llamafile",
        "lm_studio",
        "ollama",
        "ollama_chat",
        "openai",
        "openai_like",
        "vllm",
        "xinference",
    )
)
"""First words of a model's name that say which kind of server it is; the server itself does not know them."""


def wire_name(model: str) -> str:
    """The model's name as the server knows it.

    Only a first word that names a kind of server is taken off, so that names with a maker in them stay whole.

    Example:
        >>> wire_name("openai/gpt-4o"), wire_name("hosted_vllm/meta-llama/Llama-3"), wire_name("meta-llama/Llama-3")
        ('gpt-4o', 'meta-llama/Llama-3', 'meta-llama/Llama-3')
    """
    first, slash, rest = model.partition("/")
    return rest if slash and first in SERVERS else model


@dataclass(frozen=True)
class Target:
    """A provider's address, its key, and how to speak of them without giving the key away."""

    provider: str
    """What the provider is called, as in `provider/model`."""
    url: str | None
    """The address; None where a library below knows it."""
    api_key: str | Callable[[], str] | None = field(default=None, repr=False)
    """The key, or a function that gives it (asked at each request)."""
    key_variable: str | None = None
    """The environment variable that holds the key where `api_key` is None; None where none is needed."""

    def key(self, model: str) -> str | None:
        """The key to send.

        Raises:
            NotConfigured: A key is needed, and there is none that could be sent.
        """
        key = self.api_key() if callable(self.api_key) else self.api_key
        source = "`api_key`"
        if key is None and self.key_variable is not None:
            key = os.environ.get(self.key_variable)
            source = self.key_variable
            if key is None or not key.strip():
                raise NotConfigured(
                    f"No key for {model!r}: set the environment variable {self.key_variable}, or write "
                    f"dsp.LM({model!r}, api_key=...). Without a key, dsp.LM('embedded') answers offline.",
                    model=model,
                    provider=self.provider,
                )
        if key is None:
            return None
        key = key.strip()
        if not key or not key.isascii() or not key.isprintable():
            raise NotConfigured(
                f"The key for {model!r} from {source} is {'empty' if not key else 'no key'}: a key is printable ASCII.",
                model=model,
                provider=self.provider,
            )
        return key

    def masked(self, text: str, key: str | None) -> str:
        """The text with the key blotted out, should a server have repeated it."""
        return text.replace(key, "***") if key else text

    @property
    def where_keys_are(self) -> str:
        """How to give another key, for messages."""
        if self.key_variable is not None:
            return f"check {self.key_variable}, or pass `api_key=` to dsp.LM"
        return "pass `api_key=` to dsp.LM"
