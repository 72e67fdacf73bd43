"""Phone numbers in international form, and texts that are none."""

import pytest

from flows.core.phone_numbers import to_e164


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+33612345678", "+33612345678"), ("+33 6 12 34 56 78", "+33612345678"), ("0033612345678", "+33612345678"),
        ("whatsapp:+33612345678", "+33612345678"), ("tel:+33-6-12-34-56-78", "+33612345678"), ("TEL: 00 33 6", ""),
        ("+33 (0)6 12 34 56 78", "+33612345678"), ("+330612345678", "+33612345678"), ("+39 (0)6 698 12345", "+390669812345"),
        ("+1 (415) 555\u20110123", "+14155550123"), ("\u202a+1\xa0415\xa0555\xa00123\u202c", "+14155550123"),
        ("+١ ٤١٥ ٥٥٥ ٠١٢٣", "+14155550123"), ("＋１４１５５５５０１２３", "+14155550123"),
        # Reserved for fiction, so the library's list of ranges in use lacks it.
        ("+447700900123", "+447700900123"),
    ],
    ids=ascii,
)  # fmt: skip
def test_number_with_its_country_code_is_read(text, expected):
    assert to_e164(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "+", "00", "612345678", "33612345678", "06 12 34 56 78", "(415) 555-0123", "12345", "ACME Corp", "messenger:1234567",
        "+33 6 12", "+336123456789", "+9991234567", "+15550123", "+" + "1" * 300, "call +33612345678", "+33612345678 please",
        "+1-800-FLOWERS", "+14155550123 x5", "FO33612345678",
    ],
)  # fmt: skip
def test_other_text_is_no_number(text):
    assert to_e164(text) == ""
