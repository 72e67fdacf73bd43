"""The owners and tags that the filters of the list offer, and that forms name."""

import pytest

from flows.local_details import choices
from tests.flows.local_details.changing import AC_TWO, set_details

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("flows_with_details"),
]


def test_choices_are_sorted_and_an_owner_counts_once_in_any_case(django_assert_num_queries):
    with django_assert_num_queries(1):
        found = choices.load_choices(None)

    assert found == {"owner": ["Ärzte", "CLAIMS"], "tag": ["billing", "vip"]}


def test_choices_are_those_of_the_visible_accounts():
    assert choices.load_choices(frozenset({AC_TWO})) == {"owner": ["Ärzte"], "tag": ["vip"]}
    assert choices.load_choices(frozenset()) == {"owner": [], "tag": []}


def test_suggested_owners_are_those_of_the_visible_accounts():
    assert choices.suggest_owners(None) == ["Ärzte", "CLAIMS"]
    assert choices.suggest_owners(frozenset({AC_TWO})) == ["Ärzte"]


def test_as_many_choices_are_offered_as_the_limit_says(monkeypatch):
    set_details("FO" + "8" * 32, account_sid=AC_TWO, owner="Sales", tags=["zürich"])
    monkeypatch.setattr(choices, "MAX_CHOICES", 2)

    assert choices.load_choices(None) == {"owner": ["Ärzte", "CLAIMS"], "tag": ["billing", "vip"]}
