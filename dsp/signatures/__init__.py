"""Signatures: what goes into a program and what comes out, read from Pydantic models."""

from dsp.signatures.aliases import Aliases
from dsp.signatures.example import Example
from dsp.signatures.field import SignatureField, TypeDefinition
from dsp.signatures.signature import Signature
from dsp.signatures.strict import OutputSchema

__all__ = ["Aliases", "Example", "OutputSchema", "Signature", "SignatureField", "TypeDefinition"]
