"""Without examples, values are matched and extracted from the input by what the prompt says of each field."""

from __future__ import annotations

import pytest

LETTER = (
    "Dear team,\nthe service was down for 45 minutes on 12 March 2024. Order AB-1234 was billed twice, and I paid 1,250.50 "
    "euros. I do not want a discount. I want a refund. Write to ann@example.com or see https://example.com/help.\n\n"
    "Name: Ann Lee\nPlease send:\n- 2 keyboards\n- 1 mouse\n"
)


@pytest.mark.parametrize(
    ("label", "words", "value"),
    [
        ("team", '(one of "billing", "shipping", "technical")', "billing"),
        ("team", "(one of 1 (SHIPPING), 2 (BILLING))", 2),
        ("urgency", '(one of "low", "high"): low when all is well; high when the service is down', "high"),
        ("minutes", "(integer, at least 0, at most 480): how many minutes it was down", 45),
        ("paid", "(number): euros paid", 1250.5),
        ("refund", "(true or false): whether a refund is wanted", True),
        ("discount", "(true or false): whether a discount is wanted", False),
        ("day", "(string, an ISO 8601 date)", "2024-03-12"),
        ("order", "(string, matching ^[A-Z]{2}-\\d{4}$)", "AB-1234"),
        ("name", "(string)", "Ann Lee"),
        ("contact", "(string, an email address)", "ann@example.com"),
        ("page", "(string, a URL)", "https://example.com/help"),
        ("wish", "(string): what they want as a refund", "I want a refund."),
        ("codes", "(list of string, matching ^[A-Z]{2}-\\d{4}$)", ["AB-1234"]),
        ("things", "(list of string)", ["2 keyboards", "1 mouse"]),
        ("phone", "(string, matching ^\\+\\d+$ or null)", None),
        ("level", "(integer, at least 5000, optional, default 5001)", 5001),
        ("level", "(integer, at least 5000)", 5000),
    ],
)
def test_a_field_finds_its_value_in_a_letter(label, words, value, ask, task):
    assert ask(task({label: words}), text=LETTER)[label] == value


def test_a_nested_model_is_filled_field_by_field(ask, task):
    definition = "\nThing is an object with:\n  - `name` (string)\n  - `count` (integer, at least 1): how many"

    reply = ask(task({"things": "(list of Thing)"}, definitions=definition), text=LETTER)

    assert [thing["count"] for thing in reply["things"]] == [2, 1]


def test_a_model_that_holds_itself_ends(ask, task):
    definition = (
        "\nNode is an object with:\n  - `value` (integer)\n  - `next` (Node or null)\n  - `more` (list of Node)"
    )

    reply = ask(task({"root": "(Node)"}, definitions=definition), text=LETTER)

    assert reply["root"]["next"] is None
    assert reply["root"]["more"] == []


def test_text_is_cut_at_the_end_of_a_word(ask, task):
    reply = ask(task({"summary": "(string, at most 30 characters)"}), text="The lights in the hall went out at noon.")

    assert reply["summary"] == "The lights in the hall went"


PASSAGES = [
    {
        "topic": "lambda",
        "text": "Lambda expressions make anonymous functions.\nThey cannot contain\nstatements. They are short.",
    },
    {"topic": "with", "text": "The statement wraps a block. It calls methods of a context manager."},
    {"topic": "slices", "text": "A slice is a part of a sequence."},
]
PASSAGE = "\nPassage is an object with:\n  - `topic` (string)\n  - `text` (string)"


def test_a_question_is_answered_from_the_passage_that_fits(ask, task):
    wanted = task(
        {
            "answer": "(string): one sentence",
            "topic": "(string): of the passage",
            "quote": "(string): words of a passage, exactly as they are",
        },
        inputs={"question": "(string)", "passages": "(list of Passage)"},
        definitions=PASSAGE,
    )

    reply = ask(wanted, question="Can lambda expressions contain statements?", passages=PASSAGES)

    assert reply["answer"] == "They cannot contain statements."
    assert reply["topic"] == "lambda"
    assert reply["quote"] == "They cannot contain\nstatements."


def test_a_word_in_quotes_counts_even_if_it_is_a_common_one(ask, task):
    wanted = task({"topic": "(string)"}, inputs={"question": "(string)", "passages": "(list of Passage)"})

    reply = ask(wanted, question="What does the `with` statement do?", passages=PASSAGES)

    assert reply["topic"] == "with"


def test_a_passage_in_a_map_is_known_by_its_key(ask, task):
    wanted = task(
        {"topic": "(string)", "quote": "(string, at least 40 characters): exact words"},
        inputs={"question": "(string)", "passages": "(object with string keys and string values)"},
    )
    passages = {passage["topic"]: passage["text"] for passage in PASSAGES}

    reply = ask(wanted, question="Can lambda expressions contain statements?", passages=passages)

    assert reply["topic"] == "lambda"
    assert len(reply["quote"]) >= 40
    assert reply["quote"] in passages["lambda"]


def test_search_words_are_those_that_mean_something(ask, task):
    reply = ask(task({"query": "(string)", "terms": "(list of string)"}), text="What does the continue statement do?")

    assert reply == {"query": "continue statement", "terms": ["continue", "statement"]}


def test_a_field_called_completed_has_its_own_marker(ask, task):
    wanted = task({"completed": "(true or false): whether it is completed"})

    assert ask(wanted, text="The work is completed.") == {"completed": True}
