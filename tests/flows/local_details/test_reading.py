"""Reads of owners, tags and notes, and the filters by owner and tag."""

import pytest

from flows.local_details import reading
from flows.local_details.fields import Details
from flows.local_details.models import LocalDetails
from tests.flows.local_details.changing import ONE, THREE, TWO

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("flows_with_details"),
]


def test_details_of_several_flows_take_one_query(django_assert_num_queries):
    with django_assert_num_queries(1):
        details = reading.details_by_sid([ONE, TWO, "FO" + "9" * 32])

    assert details == {
        ONE: Details("Claims", ("billing", "vip"), "x"),
        TWO: Details("CLAIMS"),
    }


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
