"""Owners, tags and notes as they are typed, and as they are stored."""

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from flows.local_details import fields
from flows.local_details.fields import Details, InvalidDetail


@pytest.mark.parametrize(
    ("typed", "tags"),
    [
        ("", ()),
        (" , ,", ()),
        ("VIP, billing", ("billing", "vip")),
        ("vip, VIP, Vip", ("vip",)),
        ("#vip, black   friday", ("black friday", "vip")),
        ("##vip, # #vip, #", ("vip",)),
        ("Café\u200b, CAFE\u0301", ("café",)),
    ],
)
def test_tags_are_normalized_and_distinct_in_any_case(typed, tags):
    assert fields.clean_tags(typed) == tags


@given(st.text(st.sampled_from("# aİ"), max_size=6) | st.text(max_size=8))
def test_stored_tag_is_cleaned_to_itself(typed):
    """Otherwise the filter, which cleans a tag as well, would not find its flows."""
    try:
        tags = fields.clean_tags(typed)
    except InvalidDetail:
        reject()

    assert tuple(map(fields.clean_tag, tags)) == tags


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        (",".join(f"tag {number}" for number in range(11)), "10 tags at most. You entered 11"),
        ("x" * 31, "too long"),
        ("None", "can't be a tag"),
        ("token=q8Zr71Lw0pXk52Vt93Bn", "contains a secret"),
    ],
)
def test_invalid_tags_are_refused(typed, complaint):
    with pytest.raises(InvalidDetail, match=complaint):
        fields.clean_tags(typed)


def test_tags_within_the_limits_are_accepted():
    typed = ["x" * 30, *(f"tag {number}" for number in range(9))]

    assert len(fields.clean_tags(",".join(typed))) == 10


def test_owner_has_single_spaces_and_no_invisible_characters():
    assert fields.clean_owner("  Claims \u200b  team\u00a0Lyon ") == "Claims team Lyon"


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ("x" * 61, "60 characters at most"),
        ("none", "Leave the owner empty"),
        ("\u0301", "letters or digits"),
        ("https://x.example/?token=q8Zr71Lw0pXk52Vt93Bn", "contains a secret"),
    ],
)
def test_invalid_owner_is_refused(typed, complaint):
    with pytest.raises(InvalidDetail, match=complaint):
        fields.clean_owner(typed)


def test_note_keeps_its_lines_and_loses_its_secrets():
    note = fields.clean_note(
        "Ring Ada first.\r\nThen see https://x.example/?token=q8Zr71Lw0pXk52Vt93Bn\r\n"
    )

    assert note.startswith("Ring Ada first.\nThen see https://x.example/?token=")
    assert "q8Zr71Lw0pXk52Vt93Bn" not in note
    assert fields.clean_note(note) == note


def test_note_of_more_than_1000_characters_is_refused():
    assert len(fields.clean_note("x " * 500)) == 999
    with pytest.raises(InvalidDetail, match="This one has 1,001"):
        fields.clean_note("x" * 1001)


def test_note_that_masks_make_too_long_is_refused():
    note = "password=a1 " * 80
    assert len(note) < 1000

    with pytest.raises(InvalidDetail, match="With its secrets masked, this one has 1,"):
        fields.clean_note(note)


def test_details_survive_the_payload_of_an_event():
    details = Details("Claims", ("billing", "vip"), "Ring first")

    assert Details.from_values(details.as_values()) == details
    assert Details.from_values({}) == Details()
    assert not Details()
