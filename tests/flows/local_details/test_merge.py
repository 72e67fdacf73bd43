"""Two edits of the same owner, tags and note."""

import pytest

from flows.local_details.fields import Details
from flows.local_details.merge import merge

BASE = Details("Claims", ("sms", "vip"), "Ring first")


def test_edits_of_different_fields_are_merged():
    theirs = Details("Sales", BASE.tags, BASE.note)

    merged = merge(base=BASE, mine={"owner": "Claims", "note": "Ring last"}, theirs=theirs)

    assert merged.details == Details("Sales", BASE.tags, "Ring last")
    assert merged.conflicts == []


@pytest.mark.parametrize("name", ["owner", "note"])
def test_two_values_of_the_same_field_are_a_conflict(name):
    theirs = Details.from_values({**BASE.as_values(), name: "theirs"})

    merged = merge(base=BASE, mine={name: "mine"}, theirs=theirs)

    assert merged.conflicts == [name]
    assert merged.details == theirs


def test_same_value_from_both_is_no_conflict():
    theirs = Details("Sales", BASE.tags, BASE.note)

    assert merge(base=BASE, mine={"owner": "Sales"}, theirs=theirs).conflicts == []


def test_added_and_removed_tags_are_both_kept():
    theirs = Details("Claims", ("lyon", "sms"), "Ring first")  # added lyon, removed vip

    merged = merge(base=BASE, mine={"tags": ["christmas", "vip"]}, theirs=theirs)

    assert merged.details.tags == ("christmas", "lyon")
    assert merged.conflicts == []


def test_fields_that_an_edit_lacks_stay():
    merged = merge(base=Details(tags=("vip",)), mine={"tags": []}, theirs=BASE)

    assert merged.details == Details("Claims", ("sms",), "Ring first")


def numbered(count, name="tag"):
    return tuple(sorted(f"{name} {number}" for number in range(count)))


def test_tags_of_both_that_are_too_many_together_are_a_conflict():
    theirs = Details("Sales", numbered(6))

    merged = merge(base=Details("Claims"), mine={"tags": numbered(5, "mine")}, theirs=theirs)

    assert merged.conflicts == ["tags"]
    assert merged.details == theirs


def test_as_many_tags_as_a_flow_can_have_are_merged():
    theirs = Details(tags=numbered(6))

    merged = merge(base=Details(), mine={"tags": numbered(4, "mine")}, theirs=theirs)

    assert merged.conflicts == []
    assert len(merged.details.tags) == 10


def test_too_many_tags_of_before_stay_and_can_be_removed():
    base = Details(tags=numbered(12))

    kept = merge(base=base, mine={"note": "Ring last"}, theirs=base)
    removed = merge(base=base, mine={"tags": base.tags[1:]}, theirs=base)

    assert (kept.conflicts, kept.details.tags) == ([], base.tags)
    assert (removed.conflicts, removed.details.tags) == ([], base.tags[1:])


def test_conflicts_are_in_the_order_of_the_form():
    theirs = Details("Sales", numbered(10), "theirs")
    mine = {"note": "mine", "tags": ["vip"], "owner": "Lyon"}

    assert merge(base=Details(), mine=mine, theirs=theirs).conflicts == ["owner", "tags", "note"]
