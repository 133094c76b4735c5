"""From a signature and an input to a prompt, and from a reply to an output."""

from dsp.adapters.adapter import Adapter, BaseAdapter
from dsp.adapters.chat import ChatAdapter
from dsp.adapters.current import current_adapter
from dsp.adapters.json_object import JSONAdapter
from dsp.adapters.prompt import AdapterCall, Prompt
from dsp.adapters.report import Parsed, ParseReport, Rung

__all__ = [
    "Adapter",
    "AdapterCall",
    "BaseAdapter",
    "ChatAdapter",
    "JSONAdapter",
    "ParseReport",
    "Parsed",
    "Prompt",
    "Rung",
    "current_adapter",
]
