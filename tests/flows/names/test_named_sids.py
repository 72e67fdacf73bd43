"""SIDs with their names, in the rows of a page."""

import pytest

from flows.names.named_sids import NamedSid, name_sids, with_name
from flows.twilio.labels import PlaceholderText
from tests import ACCOUNT
from tests.flows.names.adding import add_name

pytestmark = pytest.mark.django_db

SID, OTHER_SID = "FW" + "1" * 32, "WW" + "2" * 32
OTHER_ACCOUNT = "AC" + "0e" * 16


def names_in(*rows):
    return [getattr(value, "name", None) for row in rows for value in row.values()]


def test_rows_of_several_accounts_are_named_with_one_query(django_assert_num_queries):
    add_name(SID, "Support IVR")
    add_name(OTHER_SID, "Claims", account_sid=OTHER_ACCOUNT, resource="workflow")
    ours, theirs = {"old": SID, "new": OTHER_SID}, {"old": SID, "new": OTHER_SID}

    with django_assert_num_queries(1):
        name_sids([(ACCOUNT, ours), (OTHER_ACCOUNT, theirs)], ["old", "new"])

    assert names_in(ours, theirs) == ["Support IVR", None, None, "Claims"]
    assert ours["old"] == SID


def test_other_values_stay_as_they_are(django_assert_num_queries):
    values = {"text": "FW1", "nothing": None, "number": 3, "unset": PlaceholderText(SID)}
    row = dict(values)

    with django_assert_num_queries(0):
        name_sids([(ACCOUNT, row)], list(row))

    assert row == values
    assert type(row["unset"]) is PlaceholderText


def test_object_that_was_never_there_has_no_name():
    add_name(SID, "")
    row = {"new": SID}

    name_sids([(ACCOUNT, row)], ["new"])

    assert not isinstance(row["new"], NamedSid)
    assert with_name(SID, {}) == SID
