"""Texts that find a flow: parts of names in any order, SIDs, phone numbers in any spelling."""

import pytest

from flows.search import flow_search
from flows.search.flow_search import Query, find_page
from tests.flows.search.mirrored_flows import DAY, names


@pytest.mark.parametrize(
    "text",
    [
        "Réclamations", "reclam", "RÉCLAM", "re\u0301clam", "clamations – ly", "clamations - ly", "  réclamations   – lyon ",
        "L’ÉTÉ", "l'ete", "(sms)", "réc\u200blam", "+33199000123", "199000", "WHATSAPP:+331", "\x00reclam",
    ],
    ids=ascii,
)  # fmt: skip
def test_part_of_a_name_or_identity_finds_the_flow(add, text):
    add("Réclamations – Lyon (SMS), l’été", contact_identity="whatsapp:+33199000123")
    add("Obsługa klienta", contact_identity="+14155550999")

    assert names(q=text) == ["Réclamations – Lyon (SMS), l’été"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%", ["100% sure"]), ("_", ["a_b"]), ("\\", ["back\\slash"]), ("'", ["it's"]), ('"', ['so "called"']), ("*", ["a*b"]),
        ("[ab]", ["[ab]"]), ("0%", ["100% sure"]), ("a_b", ["a_b"]), ("a%b", []), ("' OR 1=1 --", []), ("\\%", []), ("?", []),
        ("<b>", ["<b>bold</b>"]), ("{{", []), ("東", ["東京"]), ("ß", ["Straße"]), ("STRASSE", ["Straße"]), ("lodz", ["Łódź"]),
        ("\x00", None), ("\u200b", None), ("   ", None), ("", None), ("a\x00b", ["[ab]"]), ("\x00%", ["100% sure"]), ("\ufffd", []),
    ],
    ids=ascii,
)  # fmt: skip
def test_no_character_has_a_special_meaning(add, text, expected):
    """None stands for every flow: a text without visible characters is no search."""
    everything = [
        "100% sure",
        "a_b",
        "back\\slash",
        "it's",
        'so "called"',
        "a*b",
        "[ab]",
        "<b>bold</b>",
        "東京",
        "Straße",
        "Łódź",
    ]
    for name in everything:
        add(name, contact_identity="")

    assert sorted(names(q=text)) == sorted(everything if expected is None else expected)


def test_sid_is_found_by_its_first_characters(add):
    add("one")
    flow = add("two")

    assert names(q=flow.sid) == names(q=f" {flow.sid}\n") == ["two"]
    assert "two" in names(q=flow.sid[:12])
    assert names(q=flow.sid[2:]) == []


def test_search_for_a_sid_also_finds_a_name_with_it(add):
    flow = add("one")
    add(f"copy of {flow.sid}")

    assert names(q=flow.sid) == [f"copy of {flow.sid}", "one"]


def test_deleted_flow_is_not_found(add):
    flow = add("here")
    add("gone", gone_at=DAY)

    assert names() == ["here"]
    assert find_page(Query()).total == 1
    assert names(q=flow.sid) == ["here"]


def test_filter_finds_deleted_flows(add):
    add("here")
    add("gone", gone_at=DAY)

    assert names(enabled="gone") == ["gone"]


# Phone numbers

NUMBERS = {
    "us": "+14155551234",
    "whatsapp": "whatsapp:+14155551234",
    "cologne": "+4922155501",
    "page": "messenger:1114155",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(415) 555-1234", ["us", "whatsapp"]),
        ("+1 415 555 1234", ["us", "whatsapp"]),
        ("+1 (415) 555‑1234", ["us", "whatsapp"]),
        ("415.555.1234", ["us", "whatsapp"]),
        ("tel:+1-415-555-1234", ["us", "whatsapp"]),
        ("001 415 555 1234", ["us", "whatsapp"]),
        ("whatsapp:+1 415 555 1234", ["us", "whatsapp"]),
        ("0221/55501", ["cologne"]),
        ("0049 221 55501", ["cologne"]),
        ("+49 (0)221 55501", ["cologne"]),
        ("0049 (0)221/555-01", ["cologne"]),
        ("+٤٩ ٢٢١ ٥٥٥٠١", ["cologne"]),
        ("+49 (0)30 55501", []),
        ("415 555 9999", []),
        ("12 3", []),
        ("(call) 4155551234", []),
    ],
)
def test_phone_number_is_found_in_any_spelling(add, text, expected):
    for name, identity in NUMBERS.items():
        add(name, contact_identity=identity)

    assert sorted(names(q=text)) == sorted(expected)


def test_digits_in_a_name_are_found(add):
    add("Support 24 7", contact_identity="")
    add("Line", contact_identity="+4924700")

    assert names(q="24 7") == ["Support 24 7"]
    assert names(q="2470") == ["Line"]


def test_phone_number_of_a_single_flow_is_an_exact_match(add):
    only, _, deleted = (
        add(contact_identity="+4922155501"),
        add(contact_identity="+14155551234"),
        add(contact_identity="+4922155501", gone_at=DAY),
    )
    add(contact_identity="whatsapp:+14155551234")

    assert flow_search.find_exact_match(" 0221 555-01 ") == only.sid
    assert flow_search.find_exact_match("0221 555-01", is_number=False) == ""
    assert flow_search.find_exact_match("4155551234") == ""
    assert flow_search.find_exact_match("15550") == ""
    assert flow_search.find_exact_match(deleted.sid, is_number=False) == deleted.sid


@pytest.mark.parametrize(
    "q",
    [
        "hamburg rechnungen",
        "Rechnungen Hamburg",
        "rechnungen – hamburg",
        "sms, rechn",
        "rechnungen 4930",
        "(SMS) hamburg",
    ],
)
def test_words_are_found_in_any_order_and_with_other_text_between_them(add, q):
    add("Rechnungen – Hamburg (SMS)", contact_identity="+4930123456")
    add("Rechnungen – Berlin", contact_identity="+49111")
    add("Retouren Hamburg")

    assert names(q=q) == ["Rechnungen – Hamburg (SMS)"]
