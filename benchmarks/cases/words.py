"""The words that all sides put into their prompts, and the replies that they read."""

from __future__ import annotations

import json

SUBJECT = "The invoice of October was charged twice"
CUSTOMER = "Marta Lindqvist, Uppsala"
DEMOS = 4
"""How many examples the rows with demos show."""


def body(number: int) -> str:
    """About 250 characters, another text for each number."""
    return (
        f"Ticket {number}: on the fourth of October my card was charged for the yearly plan, and again on the sixth. "
        "I have one account only and can show the statement of the bank. Please send the second payment back, and tell "
        "me how long it takes."
    )


def summary(number: int) -> str:
    """One sentence, another for each number."""
    return f"Ticket {number} reports that the yearly plan was charged twice and asks for one payment back."


def order(number: int) -> dict[str, object]:
    """An order of 20 items, another one for each number."""
    return {
        "customer": f"Marta Lindqvist {number}",
        "items": [
            {
                "name": f"shelf board {number} {i}",
                "quantity": 1 + i % 7,
                "price": 4.5 + i,
                "size": {"width": 20 + i, "height": 2, "unit": "cm"},
                "tags": ["oak", "oiled", f"lot {i}"],
            }
            for i in range(20)
        ],
    }


def chat_reply(number: int) -> str:
    """The order as a model writes it in chat markers, which are dsp's and DSPy's alike."""
    value = order(number)
    return (
        f"[[ ## customer ## ]]\n{value['customer']}\n\n[[ ## items ## ]]\n{json.dumps(value['items'])}\n\n"
        "[[ ## completed ## ]]\n"
    )


def json_reply(number: int) -> str:
    """The order as one JSON object."""
    return json.dumps(order(number))
