"""What planned changes would change about the findings of an account."""

import pytest

from flows.checks.finding_preview import preview_findings
from flows.checks.planned_flows import planned_sid, set_values
from flows.mirror.models import Flow
from tests import ACCOUNT
from tests.flows.checks.complete_flows import flow
from tests.flows.checks.test_checking import store

pytestmark = pytest.mark.django_db
NUMBER, OTHER_NUMBER = "+14155550123", "+14155550199"


def sid(number):
    return f"FO{number:032}"


def texting(name, identity=NUMBER, *, enabled=True):
    return flow("studio", "sms", friendly_name=name, contact_identity=identity, enabled=enabled)


def ids(findings):
    return [(each.sid, each.rule.rule_id) for each in findings]


TWO_ON = "two-flows-on-for-one-identity"


def test_turning_on_a_second_flow_is_found_at_both():
    store(texting("A"), texting("B", "+1 415 555 0123", enabled=False))

    changes = preview_findings(ACCOUNT, {sid(1): {"enabled": True}})

    assert (sid(0), TWO_ON) in ids(changes.created)
    assert (sid(1), TWO_ON) in ids(changes.created)
    assert changes.cleared == []


@pytest.mark.parametrize(
    "values",
    [{"enabled": False}, {"contact_identity": OTHER_NUMBER}, None],
    ids=["turned off", "another number", "deleted"],
)
def test_second_flow_that_goes_away_clears_the_finding_at_the_other(values):
    store(texting("A"), texting("B"))

    changes = preview_findings(ACCOUNT, {sid(1): values})

    assert (sid(0), TWO_ON) in ids(changes.cleared)
    assert changes.created == []


def test_all_changes_are_taken_together():
    store(texting("A"), texting("B", OTHER_NUMBER))

    swapped = {
        sid(0): {"contact_identity": OTHER_NUMBER},
        sid(1): {"contact_identity": NUMBER},
    }

    assert (
        TWO_ON in dict(ids(preview_findings(ACCOUNT, {sid(0): swapped[sid(0)]}).created)).values()
    )
    assert preview_findings(ACCOUNT, swapped).created == []


def test_new_flows_are_checked_with_each_other_and_with_the_account():
    store(texting("A", OTHER_NUMBER))

    changes = preview_findings(
        ACCOUNT, {planned_sid(0): texting("b"), planned_sid(1): texting("B", OTHER_NUMBER)}
    )

    assert sorted(ids(changes.created)) == [
        (sid(0), TWO_ON),
        (planned_sid(0), "same-name"),
        (planned_sid(1), "same-name"),
        (planned_sid(1), TWO_ON),
    ]


def test_finding_that_only_counts_more_flows_is_changed():
    store(texting("Support"), texting("support", OTHER_NUMBER), texting("C", "12345"))

    changes = preview_findings(ACCOUNT, {sid(2): {"friendly_name": "SUPPORT"}})

    assert ids(changes.created) == [(sid(2), "same-name")]
    assert {now.sid for now, _later in changes.changed} == {sid(0), sid(1)}
    assert ids(changes.worse) == [(sid(2), "same-name")]
    assert changes.better == []


def test_warning_turns_into_an_error_and_back():
    store(flow("external", "web", friendly_name="A", integration_url=None, enabled=False))

    on = preview_findings(ACCOUNT, {sid(0): {"enabled": True}})
    Flow.objects.all().delete()
    store(flow("external", "web", friendly_name="A", integration_url=None, enabled=True))
    off = preview_findings(ACCOUNT, {sid(0): {"enabled": False}})

    assert [(each.rule.rule_id, each.severity.value) for each in on.worse] == [
        ("required-value-missing", "error")
    ]
    assert on.better == off.worse == []
    assert [(each.rule.rule_id, each.severity.value) for each in off.better] == [
        ("required-value-missing", "error")
    ]


def test_flows_that_share_nothing_are_not_loaded(django_assert_num_queries):
    store(*(texting(f"Flow {number}", f"+1415555{number:04}") for number in range(600)))

    with django_assert_num_queries(10):
        changes = preview_findings(ACCOUNT, {sid(1): {"enabled": False}})

    assert (changes.created, changes.cleared) == ([], [])


def test_flow_that_the_mirror_does_not_have_is_ignored():
    changes = preview_findings(ACCOUNT, {sid(7): {"enabled": True}, sid(8): None})

    assert (changes.created, changes.cleared, changes.changed) == ([], [], [])


@pytest.mark.parametrize("text", ["Bad \ud800 name", "Bad \x00 name"])
def test_values_that_no_database_stores_are_checked(text):
    planned = {planned_sid(0): texting(text, text) | {"integration_flow_sid": text}}

    assert isinstance(preview_findings(ACCOUNT, planned).created, list)


def test_new_type_has_none_of_the_parameters_of_the_earlier_one():
    before = flow("external", "web", enabled=True)

    after = set_values(before, {"integration_type": "task", "integration_workflow_sid": "WW1"})

    assert "integration_url" not in after
    assert after["integration_channel"] == "default"
    assert after["integration_workflow_sid"] == "WW1"


def test_other_changes_keep_what_the_flow_has():
    before = flow("studio", "web", integration_url="https://h.example/")

    assert set_values(before, {"enabled": True}) == before | {"enabled": True}


def test_flow_whose_number_was_not_read_since_is_not_called_free_of_findings():
    store(texting("A", enabled=False))

    assert preview_findings(ACCOUNT, {sid(0): {"enabled": True}}).is_incomplete
    assert not preview_findings(ACCOUNT, {sid(0): {"friendly_name": "B"}}).is_incomplete
