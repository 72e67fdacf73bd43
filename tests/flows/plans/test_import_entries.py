"""Contact identities in an imported table, as spreadsheets and their users spell them."""

import pytest

from flows.plans.import_entries import check_items
from flows.plans.import_text import ImportItem

SID = "FO" + "1" * 32
NUMBER = "+33612345678"


def imported_identity(cell, *, channel="sms", current=None, is_table=True):
    """Return the identity that an import requests for a flow. None stands for no change."""
    flow = {
        "sid": SID,
        "friendly_name": "Lyon",
        "channel_type": channel,
        "contact_identity": current,
        "integration_type": "studio",
        "integration_flow_sid": "FW" + "1" * 32,
    }
    item = ImportItem("Line 2", {"sid": SID, "contact_identity": cell}, is_table=is_table)

    [entry] = check_items([item], {SID: flow})

    assert entry.error == ""
    return entry.values.get("contact_identity")


@pytest.mark.parametrize(
    "cell",
    ["+33612345678", "+33 6 12 34 56 78", "'+33 6 12 34 56 78", "0033 6.12.34.56.78",
     "+33 (0)6 12 34 56 78", "tel:+33-6-12-34-56-78", "+330612345678"],
)  # fmt: skip
@pytest.mark.parametrize(
    ("channel", "expected"), [("sms", NUMBER), ("whatsapp", f"whatsapp:{NUMBER}")]
)
def test_number_in_a_cell_becomes_an_identity_of_the_channel(cell, channel, expected):
    assert imported_identity(cell, channel=channel) == expected


@pytest.mark.parametrize(
    "cell", ["612345678", "33612345678", "12345", "ACME Corp", "whatsapp:+33 6 12 34 56 78", "+331"]
)
def test_other_text_in_a_cell_stays(cell):
    assert imported_identity(cell, current="+14155550123") == cell


@pytest.mark.parametrize(
    "cell", ["+3521577940415", "+352155586650", "+2618630125", "+112917366625"]
)
@pytest.mark.parametrize("channel", ["sms", "whatsapp"])
def test_number_is_never_corrected_into_another(cell, channel):
    assert imported_identity(cell, channel=channel) == cell


@pytest.mark.parametrize("channel", ["facebook", "line", "custom"])
def test_identity_of_another_channel_stays(channel):
    assert imported_identity("+33 6 12", channel=channel) == "+33 6 12"


def test_plus_that_a_spreadsheet_dropped_is_restored():
    assert imported_identity("33612345678", current=NUMBER) == NUMBER


def test_identity_that_the_flow_has_already_is_not_respelled():
    assert imported_identity("+33 6 12 34 56 78", current="+33 6 12 34 56 78") == (
        "+33 6 12 34 56 78"
    )


def test_identity_in_json_stays():
    assert imported_identity("+33 6 12 34 56 78", is_table=False) == "+33 6 12 34 56 78"
