"""Names for SIDs, of one account and of a page of rows over several."""

import pytest
from django.utils import timezone

from flows.names.lookup import load_names, names_for
from flows.names.models import ResourceName
from tests import ACCOUNT

pytestmark = pytest.mark.django_db

OTHER_ACCOUNT = "AC" + "0e" * 16
FIRST, SECOND = "FW" + "1" * 32, "FW" + "2" * 32


def add_name(account_sid, sid, name, **fields):
    return ResourceName.objects.create(
        account_sid=account_sid,
        sid=sid,
        resource="studio_flow",
        name=name,
        changed_at=timezone.now(),
        **fields,
    )


def test_names_of_an_account_by_sid():
    add_name(ACCOUNT, FIRST, "Support IVR", status="draft")
    add_name(ACCOUNT, SECOND, "Old IVR", gone_at=timezone.now())

    names = names_for(ACCOUNT, [FIRST, SECOND, "FW" + "3" * 32])

    assert {sid: (name.name, name.status, name.is_gone) for sid, name in names.items()} == {
        FIRST: ("Support IVR", "draft", False),
        SECOND: ("Old IVR", "", True),
    }


def test_same_sid_has_a_name_in_each_account(django_assert_num_queries):
    add_name(ACCOUNT, FIRST, "Ours")
    add_name(OTHER_ACCOUNT, FIRST, "Theirs")
    add_name(OTHER_ACCOUNT, SECOND, "Not asked for")

    with django_assert_num_queries(1):
        names = load_names([(ACCOUNT, FIRST), (OTHER_ACCOUNT, FIRST), (ACCOUNT, SECOND)])

    assert {key: name.name for key, name in names.items()} == {
        (ACCOUNT, FIRST): "Ours",
        (OTHER_ACCOUNT, FIRST): "Theirs",
    }


def test_nothing_is_asked_for_no_sids(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert names_for(ACCOUNT, []) == {}


@pytest.mark.parametrize("text", ["\ud800", "a\x00b", "", "FW 1"])
def test_what_is_no_sid_has_no_name(db, text):
    assert names_for(ACCOUNT, [text]) == {}
