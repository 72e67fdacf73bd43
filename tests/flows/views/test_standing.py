"""The accounts page and its switches; and that no page offers what can't work."""

import re
import uuid

import pytest
from django.core.management import call_command
from django.urls import reverse

from flows.flexapi.errors import Refused
from flows.flexapi.sandbox import Fault, FaultKind
from flows.models import AuditEvent, Closure, Plan
from flows.services import closures
from tests.faults.acting import log_locked, writes

pytestmark = pytest.mark.django_db(transaction=True)
AC = "AC" + "5a" * 16
ACT = "/accounts/act/"
WAYS = ("new", "edit", "enabled", "delete")


def text_of(response):
    return response.content.decode()


def ways_on(page):
    """The ways to a change that a page offers."""
    return {way for way in WAYS if re.search(rf"/flows/(FO\w+/)?{way}/", text_of(page))}


def close(client, account=AC, act="close", reason="A freeze"):
    return client.post(ACT, {"account": account, "act": act, "reason": reason}, follow=True)


def test_page_says_how_an_account_stands(client_of, flow_sid):
    page = text_of(client_of("viewer").get("/accounts/"))

    assert "Connected" in page
    assert "Read-write" in page
    assert "read-only" not in page.replace("read-only mode", "")


def test_admin_makes_an_account_read_only_and_opens_it(client_of, flow_sid, sandbox):
    admin, operator = client_of("admin"), client_of("operator")

    assert "is now read-only" in text_of(close(admin))
    pages = [operator.get("/flows/"), operator.get(f"/flows/{flow_sid}/")]
    assert [ways_on(page) for page in pages] == [set(), set()]
    assert all("read-only by admin: A freeze" in text_of(page) for page in pages)
    assert "is writable again" in text_of(close(admin, act="reopen", reason=""))
    assert ways_on(operator.get(f"/flows/{flow_sid}/")) == {"new", "edit", "enabled", "delete"}


@pytest.mark.parametrize("way", WAYS)
def test_form_that_could_not_be_sent_is_not_shown(client_of, flow_sid, way):
    close(client_of("admin"))
    url = reverse("flows:new") if way == "new" else reverse(f"flows:{way}", args=[flow_sid])

    page = client_of("operator").get(url)

    assert page.status_code == 403
    assert "read-only by admin" in text_of(page)
    assert "<textarea" not in text_of(page)


def test_form_that_was_open_comes_back_with_what_was_typed(client_of, flow_sid, sandbox):
    close(client_of("admin"))

    data = {"enabled": "false", "reason": "My long reason", "change_id": str(uuid.uuid4())}
    page = client_of("operator").post(reverse("flows:enabled", args=[flow_sid]), data)

    assert (page.status_code, writes(sandbox)) == (403, [])
    assert "My long reason" in text_of(page)
    assert AuditEvent.objects.latest("seq").result == "denied"


@pytest.mark.parametrize("role", ["viewer", "operator", "auditor"])
def test_only_an_admin_closes(client_of, flow_sid, role):
    response = close(client_of(role))

    assert response.status_code == 403
    assert not Closure.objects.exists()
    denied = AuditEvent.objects.latest("seq")
    assert (denied.action, denied.result, denied.actor_role) == ("account.close", "denied", role)


def test_admin_of_one_account_closes_that_one_alone(client_of, sandbox, staging):
    admin = client_of("admin", "sam", staging.account_sid)

    assert close(admin, staging.account_sid).status_code == 200
    assert close(admin, "site").status_code == 403
    close(admin, sandbox.account_sid)

    assert [row.account_sid for row in Closure.objects.all()] == [staging.account_sid]


def test_closing_takes_a_reason(client_of, flow_sid):
    page = close(client_of("admin"), reason=" ")

    assert page.status_code == 422
    assert "Enter a reason" in text_of(page)
    assert not Closure.objects.exists()


def test_site_as_a_whole(client_of, sandbox, staging):
    close(client_of("admin"), "site")

    page = text_of(client_of("viewer").get("/flows/"))
    assert page.count("The whole site was made read-only by admin: A freeze.") == 2


def test_account_stays_open_if_that_can_not_be_recorded(client_of, flow_sid):
    client = client_of("admin")
    with log_locked():
        page = close(client)

    assert page.status_code == 503
    assert not Closure.objects.exists()


def test_what_twilio_ended_is_said_once_and_not_offered(client_of, flow_sid, sandbox):
    closures.hear(AC, "create", Refused(status=403, code=20403))
    client = client_of("operator")

    page = client.get(f"/flows/{flow_sid}/")

    assert ways_on(page) == {"edit", "enabled", "delete"}
    assert text_of(page).count("Twilio refuses to create flows (status 403, code 20403).") == 1
    assert client.get("/flows/new/").status_code == 403
    assert "1 June 2026" in text_of(client.get("/flows/new/"))


def test_operator_lets_twilio_be_asked_again(client_of, flow_sid):
    closures.hear(AC, "create", Refused(status=403))
    client = client_of("operator")
    assert "Retry Twilio" in text_of(client.get("/accounts/"))

    close(client, act="ask_again")

    assert client.get("/flows/new/").status_code == 200
    assert AuditEvent.objects.latest("seq").action == "account.ask_again"


@pytest.mark.parametrize("status", [403, 404, 410])
def test_site_stays_useful_when_twilio_has_ended_it_all(client_of, flow_sid, sandbox, status):
    sandbox.inject(Fault(FaultKind.REFUSE, times=None, status=status, code=20410 if status == 410 else 20404))
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


def test_plan_is_not_started_while_closed_and_ends_when_closed_under_way(client_of, flow_sid, sandbox):
    operator, admin = client_of("operator"), client_of("admin")
    operator.post("/flows/plans/new/", {"sid": flow_sid, "kind": "disable"})
    plan = Plan.objects.get()
    start = reverse("flows:plan-start", args=[plan.pk])
    close(admin)

    assert operator.post(start, {"reason": "x"}).status_code == 403
    assert "You can’t start this now." in text_of(operator.get(reverse("flows:plan", args=[plan.pk])))
    close(admin, act="reopen")
    assert operator.post(start, {"reason": "x"}).status_code == 302
    close(admin)
    call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)

    plan.refresh_from_db()
    assert plan.ended_because == "This account was made read-only by admin: A freeze. Nothing more was sent."
    assert writes(sandbox) == []
