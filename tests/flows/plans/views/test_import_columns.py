"""The page that maps the columns of a table to fields."""

from html import unescape

import pytest

from flows.twilio.flex.flex_flow import FLEX_FLOW
from tests.flows.plans.views.import_pages import (
    NEW_FLOW,
    columns_of,
    error_of,
    export,
    planned_changes,
    send,
    send_table,
)
from tests.markup import squeezed

pytestmark = pytest.mark.django_db(transaction=True)


def test_columns_are_proposed_by_name_label_and_parameter(operator, csv_sids):
    page = send(
        operator,
        "SID;Friendly name;contactIdentity;Integration.FlowSid;Studio flow;Date created;Notes\na;b;c;d;e;f;g\n",
    )

    assert list(columns_of(page).values()) == [
        "sid",
        "friendly_name",
        "contact_identity",
        "integration_flow_sid",
        "",
        "",
        "",
    ]
    text = squeezed(unescape(page.content.decode()))
    assert (
        "Ignored columns:<bdi>Studio flow</bdi>,<bdi>Date created</bdi>,<bdi>Notes</bdi></p>"
        in text
    )
    assert "Rows with a SID update that flow" in text


def test_every_writable_field_has_a_column_of_its_name(operator):
    names = [
        "sid",
        "account_sid",
        *(name for name, entry in FLEX_FLOW.by_name.items() if entry.wire),
    ]

    page = send(operator, ",".join(names) + "\n" + ",".join("x" for _ in names))

    assert list(columns_of(page).values()) == names


def test_column_can_be_mapped_or_ignored_by_the_user(operator, csv_sids):
    send_table(
        operator, f"id,old,new\n{csv_sids[2]},x,Renamed\n", column_0="sid", column_2="friendly_name"
    )

    assert [(change.target_sid, change.requested) for change in planned_changes()] == [
        (csv_sids[2], {"friendly_name": "Renamed"})
    ]


def test_table_without_a_sid_says_that_it_creates(operator):
    page = send(operator, ",".join(NEW_FLOW) + "\n" + ",".join(NEW_FLOW.values()))
    send_table(operator, ",".join(NEW_FLOW) + "\n" + ",".join(NEW_FLOW.values()))

    assert "There is no SID column, so each row creates a new flow." in page.content.decode()
    assert [(change.action, change.requested) for change in planned_changes()] == [
        ("flow.create", NEW_FLOW)
    ]


def test_first_values_and_empty_columns_are_shown(operator):
    page = send(operator, "friendly_name,notes\n'=1+1,\nTwo,\n\nThree,\nFour,")

    [name, notes] = page.context["form"].columns
    assert (name["samples"], notes["samples"]) == (["=1+1", "Two", "Three"], [])
    assert "Empty" in page.content.decode()


@pytest.mark.parametrize(("targets", "message"), [
    ({"column_0": "friendly_name", "column_1": "friendly_name"}, "Column 1 (“a”) and Column 2 (“b”) are both mapped to Friendly name."),
    ({"column_0": "", "column_1": ""}, "Choose a field for at least one column other than the SIDs."),
    ({"column_0": "sid", "column_1": "account_sid"}, "Choose a field for at least one column other than the SIDs."),
    ({"column_0": "url", "column_1": ""}, "Choose a field from the list, or ignore the column."),
])  # fmt: skip
def test_invalid_mapping_is_refused_with_an_error(operator, targets, message):
    answer = send(operator, "a,b\nx,y", **targets)

    assert message in error_of(answer)
    assert answer.context["text"] == "a,b\nx,y"
    assert [answer.context["form"][name].value() for name in ("column_0", "column_1")] == list(
        targets.values()
    )


def test_empty_cell_leaves_the_field_unchanged(operator, csv_sids):
    send_table(
        operator,
        f"sid,friendly_name,contact_identity\n{csv_sids[0]},,\n{csv_sids[1]},New name,  \n",
    )

    assert [(change.requested, change.skip_reason) for change in planned_changes()] == [
        ({}, "Already set."),
        ({"friendly_name": "New name"}, ""),
    ]


def test_number_in_a_table_is_drafted_as_twilio_needs_it(operator, csv_sids):
    table = f"sid,contact_identity\n{csv_sids[0]},+1 (415) 555-0199\n{csv_sids[1]},14155550101\n"

    page = send(operator, table)
    send_table(operator, table)

    assert "SMS and WhatsApp numbers with a country code are converted" in page.content.decode()
    assert [(change.requested, change.skip_reason) for change in planned_changes()] == [
        ({"contact_identity": "+14155550199"}, ""),
        ({}, "Already set."),
    ]


def test_owner_tags_and_note_of_an_export_are_ignored_with_the_reason(operator, csv_sids):
    page = operator.post(
        "/flows/plans/import/", {"entries": export(operator, csv_sids, "csv").decode()}
    )

    columns = {column["title"]: column for column in page.context["form"].columns}
    for title in ("owner", "tags", "note"):
        assert columns[title]["note"] == "Kept here only. Not imported."
        assert not columns[title]["field"].value()
