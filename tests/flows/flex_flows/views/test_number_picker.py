"""The form offers the account's numbers for the contact identity. Any other one can be entered."""

import html

import pytest
from django.utils import timezone

from flows.mirror.sync import sync_account
from tests import ACCOUNT
from tests.conftest import form_data
from tests.flows.flex_flows.form_fields import offered_values, written
from tests.flows.names.adding import add_name

pytestmark = pytest.mark.django_db(transaction=True)

MAIN, SPARE, OLD = "+442071838750", "+442071838751", "+442071838752"
SENDER = f"whatsapp:{MAIN}"
OTHER_AC = "AC" + "9" * 32


@pytest.fixture
def client(client_of):
    return client_of("operator")


def text_of(page):
    return " ".join(html.unescape(page.content.decode()).split())


def add_number(number, name, **fields):
    resource = "whatsapp_sender" if number.startswith("whatsapp:") else "phone_number"
    prefix = "XE" if resource == "whatsapp_sender" else "PN"
    sid = prefix + number[-2:] + fields.get("account_sid", ACCOUNT)[-30:]
    return add_name(sid, name, resource=resource, reference=number, **fields)


@pytest.fixture
def numbers():
    add_number(MAIN, "Main line")
    add_number(SPARE, "Spare line")
    add_number(OLD, "After hours")
    add_number(SENDER, SENDER)
    add_number("+442071838753", "Released", gone_at=timezone.now())
    add_number("+442071838754", "Elsewhere", account_sid=OTHER_AC)


@pytest.fixture
def edit_url(sandbox, numbers):
    """The form of the flow that has the main line, beside another flow of it and one of the sender."""
    sids = [
        sandbox.add_flow(channel_type="sms", contact_identity=MAIN, enabled=enabled)
        for enabled in (True, False)
    ]
    sandbox.add_flow(channel_type="whatsapp", contact_identity=SENDER)
    deleted_sid = sandbox.add_flow(channel_type="sms", contact_identity=OLD)
    sync_account(ACCOUNT)
    sandbox.remove_flow(deleted_sid)
    sync_account(ACCOUNT)
    return f"/flows/{sids[0]}/edit/"


def test_numbers_without_a_flow_come_first_each_group_by_name(client, edit_url):
    page = client.get(edit_url)

    assert offered_values(page.context["form"], "contact_identity") == [OLD, SPARE, MAIN, SENDER]
    text = text_of(page)
    assert '<optgroup label="Not used yet">' in text
    assert f'<option value="{OLD}"> After hours · {OLD} </option>' in text
    assert f'<option value="{MAIN}" selected> Main line · {MAIN} · 2 flows </option>' in text
    assert f'<option value="{SENDER}"> {SENDER} · 1 flow </option>' in text
    assert "Numbers that no flow uses come first." in text


def test_number_that_a_flow_spells_in_another_way_is_used(client, sandbox, numbers):
    sandbox.add_flow(channel_type="sms", contact_identity="+44 (0)20 7183 8751")
    sandbox.add_flow(channel_type="sms", contact_identity="0044 20 7183-8750")
    sync_account(ACCOUNT)

    form = client.get("/flows/new/").context["form"]

    unused, used = (group.options for group in form.fields["contact_identity"].widget.groups)
    assert [option.value for option in unused] == [OLD, SENDER]
    assert [option.label for option in used] == [
        f"Main line · {MAIN} · 1 flow",
        f"Spare line · {SPARE} · 1 flow",
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"contact_identity": SPARE},
        {"contact_identity": "_other", "contact_identity_other": SPARE},
        {"contact_identity": SPARE, "contact_identity_other": OLD},
    ],
    ids=["chosen", "typed", "chosen after typing"],
)
def test_number_is_sent_however_it_was_entered(client, edit_url, sandbox, fields):
    data = {**form_data(client.get(edit_url)), **fields}

    review = client.post(edit_url, {**data, "review": "1"})
    client.post(edit_url, {**form_data(review), "reason": "because"})

    assert written(sandbox) == [{"ContactIdentity": SPARE}]


def test_identity_that_is_no_number_of_the_account_stays_in_the_input(client, sandbox, numbers):
    sid = sandbox.add_flow(channel_type="custom", contact_identity="front desk")
    sync_account(ACCOUNT)

    text = text_of(client.get(f"/flows/{sid}/edit/"))

    assert '<option value="_other" selected>' in text
    assert 'name="contact_identity_other" value="front desk"' in text


def test_account_without_numbers_keeps_the_input(client, flow_sid):
    page = client.get(f"/flows/{flow_sid}/edit/")

    assert "contact_identity_other" not in page.content.decode()
    assert "come first" not in page.content.decode()


def test_new_flow_is_created_with_a_chosen_number(client, numbers, sandbox):
    page = client.get("/flows/new/")

    assert offered_values(page.context["form"], "contact_identity") == [OLD, MAIN, SPARE, SENDER]
    assert "come first" in page.content.decode()
