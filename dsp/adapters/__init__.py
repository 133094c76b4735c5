"""From a signature and an input to a prompt, and from a reply to an output."""

from dsp.adapters.adapter import Adapter, BaseAdapter
from dsp.adapters.chat import ChatAdapter
from dsp.adapters.current import current_adapter
from dsp.adapters.fallback import FallbackAdapter
from dsp.adapters.json_object import JSONAdapter
from dsp.adapters.prompt import AdapterCall, Exchange, Prompt
from dsp.adapters.report import Parsed, ParseReport, Rung
from dsp.adapters.stream import FieldDelta, FieldSnapshot, StreamEvent, StreamParser
from dsp.adapters.structured import StructuredAdapter, StructuredMode
from dsp.adapters.two_step import TwoStepAdapter
from dsp.adapters.xml import XMLAdapter

__all__ = [
    "Adapter",
    "AdapterCall",
    "BaseAdapter",
    "ChatAdapter",
    "Exchange",
    "FallbackAdapter",
    "FieldDelta",
    "FieldSnapshot",
    "JSONAdapter",
    "ParseReport",
    "Parsed",
    "Prompt",
    "Rung",
    "StreamEvent",
    "StreamParser",
    "StructuredAdapter",
    "StructuredMode",
    "TwoStepAdapter",
    "XMLAdapter",
    "current_adapter",
]
