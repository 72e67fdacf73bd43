"""Reads of owners and tags, and the choices of the filters."""

from dataclasses import replace

import pytest

from flows.local_details import reading
from flows.local_details.fields import Details
from flows.local_details.models import LocalDetails
from tests.flows.local_details.changing import set_details

pytestmark = pytest.mark.django_db(transaction=True)
ONE, TWO, THREE = (f"FO{number:032x}" for number in (1, 2, 3))
AC_ONE, AC_TWO = "AC" + "1" * 32, "AC" + "2" * 32


@pytest.fixture(autouse=True)
def flows_with_details(settings):
    account = settings.FLEX_ACCOUNTS[0]
    settings.FLEX_ACCOUNTS = tuple(
        replace(account, sid=sid, name=name)
        for sid, name in ((AC_ONE, "production"), (AC_TWO, "staging"))
    )
    set_details(ONE, account_sid=AC_ONE, owner="Claims", tags=["vip", "billing"], note="x")
    set_details(TWO, account_sid=AC_ONE, owner="CLAIMS")
    set_details(THREE, account_sid=AC_TWO, owner="Ärzte", tags=["vip"])


def test_details_of_several_flows_take_one_query(django_assert_num_queries):
    with django_assert_num_queries(1):
        details = reading.details_by_sid([ONE, TWO, "FO" + "9" * 32])

    assert details == {
        ONE: Details("Claims", ("billing", "vip"), "x"),
        TWO: Details("CLAIMS"),
    }


def test_choices_are_sorted_and_an_owner_counts_once_in_any_case(django_assert_num_queries):
    with django_assert_num_queries(1):
        choices = reading.load_choices(None)

    assert choices == {"owner": ["Ärzte", "CLAIMS"], "tag": ["billing", "vip"]}


def test_choices_are_those_of_the_visible_accounts():
    assert reading.load_choices(frozenset({AC_TWO})) == {"owner": ["Ärzte"], "tag": ["vip"]}
    assert reading.load_choices(frozenset()) == {"owner": [], "tag": []}


def test_suggested_owners_are_those_of_most_flows():
    assert reading.suggest_owners(None) == ["CLAIMS", "Ärzte"]
    assert reading.suggest_owners(frozenset({AC_TWO})) == ["Ärzte"]


@pytest.mark.parametrize(
    ("build_filter", "value", "sids"),
    [
        (reading.owner_filter, "claims", [ONE, TWO]),
        (reading.owner_filter, "arzte", [THREE]),
        (reading.owner_filter, "Sales", []),
        (reading.owner_filter, "none", []),
        (reading.tag_filter, "VIP", [ONE, THREE]),
        (reading.tag_filter, "none", [TWO]),
    ],
)
def test_filters_find_flows_by_owner_and_tag(build_filter, value, sids):
    rows = LocalDetails.objects.filter(build_filter(value))

    assert list(rows.order_by("sid").values_list("sid", flat=True)) == sids
