"""What every system message says of a signature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dsp.signatures import Signature

__all__ = ["described"]


def described(signature: Signature[Any, Any]) -> dict[str, object]:  # Any: whatever its models
    """The variables of `shared/fields.jinja`; a nested type that inputs and outputs share is described once."""
    shown = signature.input_definitions
    return {
        "signature": signature,
        "input_types": shown,
        "output_types": [one for one in signature.output_definitions if one not in shown],
    }
