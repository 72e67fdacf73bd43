"""Contact identities in a form that all their spellings share."""

import pytest

from flows.core.identities import normalize_identity


@pytest.mark.parametrize(
    "identity",
    [
        "+33612345678", "33612345678", "0033612345678", "+33 6 12 34 56 78", "+33 (0)6 12 34 56 78", "whatsapp:+33612345678",
        "tel:+33-6-12-34-56-78", "00 33 (0)6 12 34 56 78",
    ],
)  # fmt: skip
def test_spellings_of_a_number_are_equal(identity):
    assert normalize_identity(identity) == "33612345678"


def test_zero_that_belongs_to_a_number_stays():
    assert normalize_identity("+39 (0)6 698 12345") == normalize_identity("+390669812345")


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        ("12345", "12345"), ("ACME Corp", "acme corp"), ("messenger:110255501234567", "110255501234567"), ("Chat-7", "chat-7"),
        ("+1٤١٥", "+1٤١٥"), ("(0)", "(0)"), ("", ""),
    ],
)  # fmt: skip
def test_other_identity_is_compared_as_text(identity, expected):
    assert normalize_identity(identity) == expected
