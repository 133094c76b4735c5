"""The models of the order that the parse rows read: one definition for all sides."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel


class Size(BaseModel):
    width: int
    height: int
    unit: Literal["mm", "cm", "m"]


class Item(BaseModel):
    name: str
    quantity: int
    price: float
    size: Size
    tags: list[str]


class Order(BaseModel):
    customer: str
    items: list[Item]
