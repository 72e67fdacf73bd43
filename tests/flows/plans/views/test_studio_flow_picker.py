"""A bulk change that routes flows to a Studio Flow offers those of their account by name."""

import html

import pytest

from flows.mirror.sync import sync_account
from flows.plans.models import PlannedChange
from tests import ACCOUNT
from tests.flows.names.adding import add_name

pytestmark = pytest.mark.django_db(transaction=True)

NEW_SID, TYPED_SID = "FW" + "2" * 32, "FW" + "9" * 32
NEW_PLAN = "/flows/plans/new/"


@pytest.fixture(autouse=True)
def _names(db):
    add_name(NEW_SID, "Order status")


def ask(client, sids, **fields):
    return client.post(NEW_PLAN, {"sids": " ".join(sids), "kind": "studio_flow", **fields})


def text_of(page):
    return " ".join(html.unescape(page.content.decode()).split())


def test_studio_flows_are_offered_by_name(client_of, flow_sid):
    page = text_of(ask(client_of("operator"), [flow_sid]))

    assert f'<option value="{NEW_SID}"> Order status · FW2222…2222 </option>' in page


@pytest.mark.parametrize(
    ("fields", "sid"),
    [({"value": NEW_SID}, NEW_SID), ({"value": "_other", "value_other": TYPED_SID}, TYPED_SID)],
)
def test_chosen_or_typed_sid_is_drafted(client_of, flow_sid, fields, sid):
    ask(client_of("operator"), [flow_sid], **fields)

    assert PlannedChange.objects.get().requested == {"integration_flow_sid": sid}


def test_another_sid_that_was_not_typed_is_missing_and_its_input_stays_open(client_of, flow_sid):
    page = ask(client_of("operator"), [flow_sid], value="_other", value_other="")

    assert page.status_code == 422
    assert '<option value="_other" selected>' in text_of(page)
    assert 'id="id_value_error"' in text_of(page)
    assert not PlannedChange.objects.exists()


def test_flows_of_several_accounts_get_a_plain_input(client_of, flow_sid, sandbox, staging):
    other_sid = staging.add_flow()
    sync_account(staging.account_sid)

    page = text_of(ask(client_of("operator"), [flow_sid, other_sid]))

    assert '<input type="text" name="value"' in page
    assert "Order status" not in page


def test_flows_out_of_scope_offer_nothing(client_of, flow_sid, staging):
    tess = client_of("operator", "tess", staging.account_sid)

    assert "Order status" not in text_of(ask(tess, [flow_sid]))
    assert ACCOUNT not in text_of(ask(tess, [flow_sid]))
