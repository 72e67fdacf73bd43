"""The accounts page and its switches. No page offers a change that can't be made."""

import re
import uuid

import pytest
from django.core.management import call_command
from django.urls import reverse

from flows.audit.models import AuditEvent
from flows.availability import restrictions
from flows.availability.models import Closure
from flows.plans.models import Plan
from flows.twilio.errors import RequestRefused
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests.faults.acting import locked_log, received_writes

pytestmark = pytest.mark.django_db(transaction=True)
AC = "AC" + "5a" * 16
ACT = "/accounts/act/"
WAYS = ("new", "edit", "enabled", "delete")


def text_of(response):
    return response.content.decode()


def change_links(page):
    """Return the links to changes that a page offers."""
    return {way for way in WAYS if re.search(rf"/flows/(FO\w+/)?{way}/", text_of(page))}


def close(client, account=AC, act="close", reason="A freeze"):
    return client.post(ACT, {"account": account, "act": act, "reason": reason}, follow=True)


def test_page_shows_the_status_of_an_account(client_of, flow_sid):
    page = text_of(client_of("viewer").get("/accounts/"))

    assert "Connected" in page
    assert "Read-write" in page
    assert "read-only" not in page.replace("read-only mode", "")


def test_admin_makes_an_account_read_only_and_writable_again(client_of, flow_sid, sandbox):
    admin, operator = client_of("admin"), client_of("operator")

    assert "is now read-only" in text_of(close(admin))
    pages = [operator.get("/flows/"), operator.get(f"/flows/{flow_sid}/")]
    assert [change_links(page) for page in pages] == [set(), set()]
    assert all("read-only by admin: A freeze" in text_of(page) for page in pages)
    assert "is writable again" in text_of(close(admin, act="reopen", reason=""))
    assert change_links(operator.get(f"/flows/{flow_sid}/")) == {"new", "edit", "enabled", "delete"}


@pytest.mark.parametrize("way", WAYS)
def test_form_that_could_not_be_sent_is_not_shown(client_of, flow_sid, way):
    close(client_of("admin"))
    url = reverse("flows:new") if way == "new" else reverse(f"flows:{way}", args=[flow_sid])

    page = client_of("operator").get(url)

    assert page.status_code == 403
    assert "read-only by admin" in text_of(page)
    assert "<textarea" not in text_of(page)


def test_form_opened_before_keeps_its_input(client_of, flow_sid, sandbox):
    close(client_of("admin"))

    data = {"enabled": "false", "reason": "My long reason", "change_id": str(uuid.uuid4())}
    page = client_of("operator").post(reverse("flows:enabled", args=[flow_sid]), data)

    assert (page.status_code, received_writes(sandbox)) == (403, [])
    assert "My long reason" in text_of(page)
    assert AuditEvent.objects.latest("seq").result == "denied"


@pytest.mark.parametrize("role", ["viewer", "operator", "auditor"])
def test_only_an_admin_makes_an_account_read_only(client_of, flow_sid, role):
    response = close(client_of(role))

    assert response.status_code == 403
    assert not Closure.objects.exists()
    denied = AuditEvent.objects.latest("seq")
    assert (denied.action, denied.result, denied.actor_role) == ("account.close", "denied", role)


def test_admin_of_one_account_makes_only_that_one_read_only(client_of, sandbox, staging):
    admin = client_of("admin", "sam", staging.account_sid)

    assert close(admin, staging.account_sid).status_code == 200
    assert close(admin, "site").status_code == 403
    close(admin, sandbox.account_sid)

    assert [row.account_sid for row in Closure.objects.all()] == [staging.account_sid]


def test_read_only_requires_a_reason(client_of, flow_sid):
    page = close(client_of("admin"), reason=" ")

    assert page.status_code == 422
    assert "Enter a reason" in text_of(page)
    assert not Closure.objects.exists()


def test_whole_site_is_made_read_only(client_of, sandbox, staging):
    close(client_of("admin"), "site")

    page = text_of(client_of("viewer").get("/flows/"))
    assert page.count("The whole site was made read-only by admin: A freeze.") == 2


def test_page_says_who_made_an_account_read_only(client_of, flow_sid):
    close(client_of("admin"))

    page = text_of(client_of("viewer").get("/accounts/"))

    assert page.count("This account was made read-only by admin: A freeze.") == 2


def test_account_stays_writable_if_the_action_cannot_be_recorded(client_of, flow_sid):
    client = client_of("admin")
    with locked_log():
        page = close(client)

    assert page.status_code == 503
    assert not Closure.objects.exists()


def test_change_that_twilio_refuses_is_reported_once_and_not_offered(client_of, flow_sid, sandbox):
    restrictions.record_response(AC, "create", RequestRefused(status=403, code=20403))
    client = client_of("operator")

    page = client.get(f"/flows/{flow_sid}/")

    assert change_links(page) == {"edit", "enabled", "delete"}
    assert text_of(page).count("Twilio refuses to create flows (status 403, code 20403).") == 1
    assert client.get("/flows/new/").status_code == 403
    assert "1 June 2026" in text_of(client.get("/flows/new/"))


def test_operator_retries_refused_requests(client_of, flow_sid):
    restrictions.record_response(AC, "create", RequestRefused(status=403))
    client = client_of("operator")
    assert "Retry Twilio" in text_of(client.get("/accounts/"))

    close(client, act="ask_again")

    assert client.get("/flows/new/").status_code == 200
    assert AuditEvent.objects.latest("seq").action == "account.ask_again"


@pytest.mark.parametrize("status", [403, 404, 410])
def test_site_stays_useful_when_twilio_refuses_everything(client_of, flow_sid, sandbox, status):
    sandbox.inject(
        Fault(FaultKind.REFUSE, times=None, status=status, code=20410 if status == 410 else 20404)
    )
    operator = client_of("operator")
    operator.post("/flows/sync/")

    for page in (
        "/flows/",
        f"/flows/{flow_sid}/",
        f"/flows/{flow_sid}/code/",
        "/audit/",
        "/accounts/",
        "/flows/drift/",
    ):
        answer = operator.get(page)
        assert answer.status_code == 200, page
        assert f"Twilio refuses to list flows (status {status}" in text_of(answer), page
    assert "Réclamations Lyon" in text_of(operator.get("/flows/"))
    assert "Réclamations Lyon" in text_of(
        operator.post("/flows/copy-out/", {"sid": flow_sid, "format": "csv"})
    )
    out = client_of("auditor").post("/audit/export/", {"format": "csv"})
    assert out.status_code == 200


def test_bulk_change_does_not_start_while_read_only_and_stops_when_made_read_only(
    client_of, flow_sid, sandbox
):
    operator, admin = client_of("operator"), client_of("admin")
    operator.post("/flows/plans/new/", {"sid": flow_sid, "kind": "disable"})
    plan = Plan.objects.get()
    start = reverse("flows:plan-start", args=[plan.pk])
    close(admin)

    assert operator.post(start, {"reason": "x"}).status_code == 403
    assert "You can’t start this now." in text_of(
        operator.get(reverse("flows:plan", args=[plan.pk]))
    )
    close(admin, act="reopen")
    assert operator.post(start, {"reason": "x"}).status_code == 302
    close(admin)
    call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)

    plan.refresh_from_db()
    assert (
        plan.stop_reason
        == "This account was made read-only by admin: A freeze. Nothing more was sent."
    )
    assert received_writes(sandbox) == []
