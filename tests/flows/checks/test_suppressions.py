"""Suppressed findings: accepted until a day, with a reason, on record, and counted nowhere."""

import io
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.utils.html import strip_tags

from flows.accounts import twilio_accounts
from flows.audit import audit_log
from flows.audit.audit_log import AlreadyRecorded, NotRecorded
from flows.audit.models import AuditEvent
from flows.availability import restrictions
from flows.availability.restrictions import OperationUnavailable
from flows.checks import suppressions
from flows.checks.checking import RULES_BY_ID, check_accounts
from flows.checks.flow_surroundings import check_with_surroundings
from flows.checks.models import Suppression
from flows.checks.suppressions import FindingChange, end_suppression, today
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.search.warned_flows import count_warned
from tests import ACCOUNT
from tests.conftest import form_data
from tests.flows.checks.complete_flows import flow
from tests.flows.checks.test_checking import READ, read_completely, store
from tests.flows.names.adding import add_name
from tests.flows.search.mirrored_flows import DAY, names

pytestmark = pytest.mark.django_db
SID = f"FO{0:032}"
RULE = RULES_BY_ID["webhook-not-encrypted"]
URL = f"/checks/{RULE.rule_id}/"
SUPPRESS_URL = f"{URL}{SID}/suppress/"
END_URL = f"{URL}{SID}/show-again/"


@pytest.fixture(autouse=True)
def _one_warning():
    read_completely(*READ)
    store(flow("external", "web", friendly_name="Lab", integration_url="http://h.example/"))


def change(actor, **fields):
    values = {
        "account_sid": ACCOUNT,
        "sid": SID,
        "rule": RULE,
        "reason": "A lab without customers",
        "actor": actor,
        "change_id": uuid.uuid4(),
    }
    return FindingChange(**values | fields)


def suppress(it, until):
    """Suppress what the rule finds at the flow now."""
    findings = check_with_surroundings(
        ACCOUNT, SID, Flow.objects.get().resource, with_suppressed=True
    )
    return suppressions.suppress(it, [each for each in findings if each.rule == RULE], until)


def found():
    return check_accounts(twilio_accounts.all_accounts())


def text(page):
    return " ".join(strip_tags(page.content.decode()).split())


def test_suppressed_finding_is_counted_nowhere(actor, client_of):
    suppress(change(actor), today() + timedelta(days=1))

    report = found()
    assert report.findings == []
    assert [(each.flow_name, row.rule_id) for each, row in report.suppressed] == [
        ("Lab", RULE.rule_id)
    ]
    assert check_with_surroundings(ACCOUNT, SID, Flow.objects.get().resource) == []
    assert count_warned(None) == {}
    assert names(warnings="true") == []
    out = io.StringIO()
    call_command("check_flows", stdout=out)
    assert out.getvalue() == ""
    assert "not encrypted" not in text(client_of("viewer").get("/flows/"))


def test_page_of_the_flow_has_it_apart_from_the_warnings(client_of, actor):
    suppress(change(actor), today())

    page = client_of("viewer").get(f"/flows/{SID}/")

    assert page.context["warnings"] == []
    assert "Suppressed finding The webhook is not encrypted." in text(page)


def test_finding_that_is_not_suppressed_is_counted_everywhere(client_of):
    assert [each.rule for each in found().findings] == [RULE]
    assert count_warned(None) == {ACCOUNT: 1}
    assert names(warnings="true") == ["Lab"]
    assert "not encrypted" in client_of("viewer").get("/flows/").content.decode()


def test_other_finding_of_the_same_flow_stays(actor):
    store(flow("external", "web", friendly_name="Lab", integration_url="http://h.example/#top"))
    suppress(change(actor), today())

    assert [each.rule.rule_id for each in found().findings] == ["webhook-fragment"]
    assert count_warned(None) == {ACCOUNT: 1}


def test_finding_that_says_something_else_comes_back(actor):
    """A suppression is of what someone saw, not of all that the rule may ever find."""
    first, second = "FW" + "1" * 32, "FW" + "2" * 32
    rule = RULES_BY_ID["target-gone"]
    for number, studio_sid in enumerate((first, second)):
        add_name(studio_sid, f"Flow {number}", gone_at=DAY)
    store(flow("studio", "web", friendly_name="Lab", integration_flow_sid=first, enabled=True))
    findings = check_with_surroundings(ACCOUNT, SID, Flow.objects.get().resource)
    suppressions.suppress(change(actor, rule=rule), findings, today())
    assert found().findings == []

    store(flow("studio", "web", friendly_name="Lab", integration_flow_sid=second, enabled=True))

    assert [each.message for each in found().findings] == [
        "The Studio Flow “Flow 1” was deleted at Twilio. Messages can't be handled."
    ]
    assert count_warned(None) == {ACCOUNT: 1}


def test_finding_that_becomes_an_error_comes_back(actor):
    missing = flow("external", "web", friendly_name="Lab", integration_url=None)
    rule = RULES_BY_ID["required-value-missing"]
    store(missing | {"enabled": False})
    findings = check_with_surroundings(ACCOUNT, SID, Flow.objects.get().resource)
    suppressions.suppress(change(actor, rule=rule), findings, today())
    assert found().findings == []

    store(missing | {"enabled": True})

    assert [each.severity.value for each in found().findings] == ["error"]


def test_expired_suppression_has_no_end(actor):
    suppress(change(actor), today())
    Suppression.objects.update(until=today() - timedelta(days=1))

    assert end_suppression(change(actor)) is None
    assert not AuditEvent.objects.filter(action="finding.end_suppression").exists()


def test_suppression_is_no_change_of_the_flow(client_of, actor, sandbox):
    sid = sandbox.add_flow(friendly_name="Mine", channel_type="web", integration_type="external", integration_url="http://h.example/")  # fmt: skip
    sync_account(ACCOUNT)
    client = client_of("operator")
    data = form_data(client.get(f"/flows/{sid}/edit/")) | {"friendly_name": "Mine 2"}
    client.post(f"/flows/{sid}/edit/", data)
    assert client.get(f"/flows/{sid}/").context["undoable_change"]

    url = f"{URL}{sid}/suppress/"
    client.post(url, {**form_data(client.get(url)), "reason": "A lab"})

    assert Suppression.objects.filter(sid=sid).exists()
    assert client.get(f"/flows/{sid}/").context["undoable_change"].action == "flow.update"


def test_finding_that_changed_since_the_page_was_opened_is_not_suppressed(client_of):
    url = f"/checks/required-value-missing/{SID}/suppress/"
    store(flow("task", "web", friendly_name="Lab", integration_workflow_sid=None))
    client = client_of("operator")
    data = {**form_data(client.get(url)), "reason": "A lab"}
    store(flow("task", "web", friendly_name="Lab", integration_workflow_sid=None, integration_workspace_sid=None))  # fmt: skip

    page = client.post(url, data)

    assert page.status_code == 409
    assert "The finding was changed in the meantime" in text(page)
    assert 'value="A lab"' in page.content.decode()
    assert not Suppression.objects.exists()

    client.post(url, {**form_data(page), "reason": "A lab"})
    assert found().findings == []


def test_flow_without_the_finding_has_nothing_to_suppress(client_of):
    page = client_of("operator").get(f"/checks/target-gone/{SID}/suppress/", follow=True)

    assert page.redirect_chain == [("/checks/target-gone/", 302)]
    assert "“Lab” doesn&#x27;t have this finding." in page.content.decode()


def test_finding_comes_back_after_the_last_day(actor, monkeypatch):
    suppress(change(actor), today())
    assert found().findings == []

    tomorrow = datetime.now(UTC) + timedelta(days=1)
    monkeypatch.setattr(suppressions.timezone, "now", lambda: tomorrow)

    assert [each.rule for each in found().findings] == [RULE]
    assert count_warned(None) == {ACCOUNT: 1}


def test_suppression_is_on_record_with_its_reason(actor):
    suppress(change(actor), today())

    event = AuditEvent.objects.get(action="finding.suppress")
    assert (event.result, event.target_sid, event.account_sid) == ("succeeded", SID, ACCOUNT)
    assert event.reason == "A lab without customers"
    assert event.payload.requested_values == {
        "Check": RULE.title,
        "Finding": "The webhook is not encrypted. Use https:// instead of http://.",
        "Until": today().isoformat(),
    }
    assert event.payload.friendly_name == "Lab"
    assert Suppression.objects.get().event_id == event.event_id


def test_new_suppression_takes_the_place_of_the_earlier_one(actor):
    suppress(change(actor), today())
    suppress(change(actor, reason="Longer"), today() + timedelta(days=9))

    assert Suppression.objects.get().until == today() + timedelta(days=9)
    assert AuditEvent.objects.filter(action="finding.suppress").count() == 2


def test_end_of_a_suppression_is_on_record(actor):
    suppress(change(actor), today())

    event = end_suppression(change(actor, reason=""))

    assert event.action == "finding.end_suppression"
    assert [each.rule for each in found().findings] == [RULE]
    assert end_suppression(change(actor)) is None
    assert AuditEvent.objects.filter(action="finding.end_suppression").count() == 1


def test_form_that_is_sent_twice_is_one_change(actor):
    first = change(actor)
    suppress(first, today())

    with pytest.raises(AlreadyRecorded):
        suppress(first, today() + timedelta(days=300))
    assert Suppression.objects.get().until == today()


@pytest.mark.parametrize("act", [lambda it: suppress(it, today()), end_suppression])
def test_read_only_prevents_it_and_the_refusal_is_on_record(actor, act):
    restrictions.set_read_only(account_sid=ACCOUNT, reason="Freeze", actor=actor)

    with pytest.raises(OperationUnavailable):
        act(change(actor))

    assert not Suppression.objects.exists()
    assert AuditEvent.objects.filter(result="denied", target_sid=SID).count() == 1


def test_nothing_changes_without_its_record(actor, monkeypatch):
    def fail(*_arguments, **_options):
        raise NotRecorded("disk full")

    monkeypatch.setattr(audit_log.LogTransaction, "append", fail)

    with pytest.raises(NotRecorded):
        suppress(change(actor), today())
    assert not Suppression.objects.exists()


def test_page_suppresses_and_shows_again(client_of):
    client = client_of("operator")
    data = form_data(client.get(SUPPRESS_URL))
    assert data["until"] == (today() + timedelta(days=30)).isoformat()

    page = client.post(SUPPRESS_URL, {**data, "reason": "A <b>lab</b>"}, follow=True)

    assert page.redirect_chain == [(URL, 302)]
    assert f"Suppressed the finding at “Lab” until {data['until']}." in text(page)
    assert f"Until {data['until']}, by operator: A &lt;b&gt;lab&lt;/b&gt;" in text(page)
    assert "All findings are suppressed." in text(page)
    assert f"{RULE.title} (1)" in text(client.get("/checks/"))

    page = client.post(END_URL, follow=True)

    assert "The finding at “Lab” is shown again." in text(page)
    assert [each.rule for each in found().findings] == [RULE]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("until", "", "Enter the last day."),
        ("until", "tomorrow", "Enter a date such as 2027-01-31."),
        ("until", "2020-01-01", "This day has passed."),
        ("until", "2199-01-01", "This is more than a year from now."),
        ("reason", "", "Enter a reason."),
        ("reason", "\u200b", "Reason contains only invisible characters."),
    ],
)
def test_bad_input_is_named_and_kept(client_of, field, value, message):
    client = client_of("operator")
    data = {**form_data(client.get(SUPPRESS_URL)), "reason": "A lab", field: value}

    page = client.post(SUPPRESS_URL, data)

    assert page.status_code == 422
    assert message in text(page)
    if value.isascii() and value:
        assert f'value="{value}"' in page.content.decode()
    assert not Suppression.objects.exists()


def test_viewer_is_offered_nothing_and_refused(client_of):
    client = client_of("viewer")

    assert "Suppress…" not in text(client.get(URL))
    assert client.post(SUPPRESS_URL, {"until": today(), "reason": "x"}).status_code == 403
    assert client.post(END_URL).status_code == 403
    assert not Suppression.objects.exists()


def test_read_only_account_offers_nothing_and_keeps_the_input(client_of, actor):
    client = client_of("operator")
    data = {**form_data(client.get(SUPPRESS_URL)), "reason": "A lab"}
    restrictions.set_read_only(account_sid=ACCOUNT, reason="Freeze", actor=actor)

    page = client.post(SUPPRESS_URL, data)

    assert page.status_code == 403
    assert "Couldn&#x27;t suppress the finding" in page.content.decode()
    assert 'value="A lab"' in page.content.decode()
    assert "Suppress…" not in text(client.get(URL))
    assert "Nothing was changed." in text(client.post(END_URL, follow=True))


@pytest.mark.parametrize("path", [f"/checks/nothing/{SID}/suppress/", f"{URL}FO{99:032}/suppress/"])
def test_unknown_check_or_flow_is_not_found(client_of, path):
    assert client_of("operator").get(path).status_code == 404
