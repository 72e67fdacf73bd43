"""Pages offer only changes whose calls are available in the account of the flow."""

import re

import pytest
from django.core.management import call_command
from django.urls import reverse

from flows.audit.models import AuditEvent, OpenDrift
from flows.availability import restrictions
from flows.mirror.sync import sync_account
from flows.plans.models import Plan
from flows.twilio.errors import RequestRefused
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import OMAR, received_writes
from tests.flows.external_changes.inbox_pages import inbox_items

pytestmark = pytest.mark.django_db(transaction=True)

CHANGE_LINKS = {
    "new": "/flows/new/(?!\\?clone)", "clone": "clone=FO", "edit": "/edit/", "switch": "/enabled/",
    "delete": "/flows/FO\\w+/delete/",
}  # fmt: skip


def text(page):
    return page.content.decode()


def offered_changes(page):
    """Return the names of the changes that the main part of a page links to."""
    main = text(page).partition("<main")[2]
    return {name for name, link in CHANGE_LINKS.items() if re.search(f'href="[^"]*{link}', main)}


def refuse(*kinds, account_sid=ACCOUNT):
    for kind in kinds:
        restrictions.record_response(account_sid, kind, RequestRefused(status=403, code=20003))


@pytest.mark.parametrize(
    ("kinds", "on_flow", "on_list"),
    [
        ((), {"clone", "edit", "switch", "delete"}, {"new", "edit", "switch"}),
        (("update",), {"clone", "delete"}, {"new"}),
        (("delete",), {"clone", "edit", "switch"}, {"new", "edit", "switch"}),
        (("create",), {"edit", "switch", "delete"}, {"edit", "switch"}),
    ],
    ids=["nothing", "update", "delete", "create"],
)
def test_refused_change_has_no_button(client_of, flow_sid, kinds, on_flow, on_list):
    refuse(*kinds)
    client = client_of("operator")

    assert offered_changes(client.get(f"/flows/{flow_sid}/")) == on_flow
    assert offered_changes(client.get("/flows/")) == on_list


@pytest.mark.parametrize("status", [403, 410])
def test_change_that_reads_the_flow_first_is_not_offered_if_flows_are_not_shown(
    client_of, sandbox, flow_sid, status
):
    sandbox.inject(
        Fault(
            FaultKind.REFUSE,
            method="GET",
            path="/FlexFlows/*",
            times=None,
            status=status,
            code=20003,
        )
    )
    client = client_of("operator")

    page = client.get(f"/flows/{flow_sid}/")

    assert offered_changes(page) == set()
    assert text(page).count("Twilio refuses to show a flow") == 1
    assert len(re.findall(f"status {status}|HTTP {status}", text(page))) == 1
    list_page = client.get("/flows/")
    assert offered_changes(list_page) == {"new"}
    assert 'value="disable"' not in text(list_page)
    assert 'value="csv"' in text(list_page)  # cached flows can still be exported


@pytest.mark.parametrize("form", ["edit", "enabled", "delete"])
def test_unavailable_form_gives_the_reason_once(client_of, sandbox, flow_sid, form):
    refuse("fetch")
    request_count = len(sandbox.requests)

    page = client_of("operator").get(reverse(f"flows:{form}", args=[flow_sid]))

    assert page.status_code == 403
    assert text(page).count("Twilio refuses to show a flow (status 403, code 20003).") == 1
    assert len(sandbox.requests) == request_count


def test_unavailable_dialog_gives_the_reason_once(client_of, flow_sid):
    refuse("fetch")

    page = client_of("operator").get(f"/flows/{flow_sid}/enabled/", headers={"HX-Request": "true"})

    assert text(page).count("Twilio refuses to show a flow (status 403, code 20003).") == 1


def test_unavailable_change_is_denied_and_logged(client_of, sandbox, flow_sid):
    refuse("fetch")
    data = {"enabled": "false", "change_id": "0c1e9d5e-6b1f-4c07-8f3a-1d2b3c4d5e6f"}

    assert client_of("operator").post(f"/flows/{flow_sid}/enabled/", data).status_code == 403

    event = AuditEvent.objects.latest("seq")
    assert (event.result, event.payload.requested) == ("denied", {"enabled": False})
    assert received_writes(sandbox) == []


def test_flow_that_twilio_shows_again_has_its_buttons_again(client_of, flow_sid):
    refuse("fetch")
    client = client_of("operator")
    assert offered_changes(client.get("/flows/")) == {"new"}

    assert offered_changes(client.get(f"/flows/{flow_sid}/")) == {
        "clone",
        "edit",
        "switch",
        "delete",
    }


def test_bulk_bar_offers_only_the_available_change(client_of, flow_sid):
    refuse("update")

    page = text(client_of("operator").get("/flows/"))

    assert 'value="delete"' in page
    assert 'value="enable"' not in page


class TestInbox:
    @pytest.fixture
    def drifted(self, sandbox, staging):
        """The SIDs of one flow in each account, each changed outside."""
        sids = [
            account.add_flow(friendly_name=name)
            for account, name in ((sandbox, "Live"), (staging, "Try"))
        ]
        for account in (sandbox, staging):
            sync_account(account.account_sid)
        for account, sid in zip((sandbox, staging), sids, strict=True):
            account.edit_flow(sid, friendly_name="Outside")
            sync_account(account.account_sid)
        return sids

    def items(self, page):
        return {
            item.last.target_sid: (item.can_accept, item.can_revert) for item in inbox_items(page)
        }

    def test_each_item_offers_what_its_own_account_allows(
        self, client_of, person, sandbox, staging, drifted
    ):
        user = person("viewer", "vera")
        user.account_roles.create(
            account_sid=staging.account_sid, role=person("operator").groups.get()
        )

        page = client_of("viewer", "vera").get("/flows/drift/")

        assert self.items(page) == {drifted[0]: (False, False), drifted[1]: (True, True)}
        assert text(page).count("drift-accept") + text(page).count("/accept/") == 1

    def test_read_only_account_can_accept_but_not_revert(self, client_of, sandbox, drifted):
        restrictions.set_read_only(account_sid=sandbox.account_sid, reason="A freeze", actor=OMAR)

        page = client_of("operator").get("/flows/drift/")

        assert self.items(page) == {drifted[0]: (True, False), drifted[1]: (True, True)}

    @pytest.mark.parametrize(
        ("kind", "can_revert"),
        [("fetch", False), ("update", False), ("delete", True), ("create", True)],
    )
    def test_revert_needs_the_calls_of_an_update(
        self, client_of, sandbox, flow_sid, kind, can_revert
    ):
        sandbox.edit_flow(flow_sid, friendly_name="Outside")
        sync_account(ACCOUNT)
        refuse(kind)

        assert self.items(client_of("operator").get("/flows/drift/")) == {
            flow_sid: (True, can_revert)
        }

    @pytest.mark.parametrize(("kind", "can_revert"), [("fetch", True), ("create", False)])
    def test_revert_of_a_deletion_needs_only_a_creation(
        self, client_of, sandbox, flow_sid, kind, can_revert
    ):
        sandbox.remove_flow(flow_sid)
        sync_account(ACCOUNT)
        assert OpenDrift.objects.count() == 1
        refuse(kind)

        assert self.items(client_of("operator").get("/flows/drift/")) == {
            flow_sid: (True, can_revert)
        }


def test_restore_of_a_deleted_flow_needs_only_a_creation(client_of, sandbox, flow_sid):
    sandbox.remove_flow(flow_sid)
    sync_account(ACCOUNT)
    event = AuditEvent.objects.get(action="flow.drift")
    client = client_of("operator")

    refuse("fetch")
    assert "Restore" in text(client.get(f"/audit/{event.event_id}/"))
    refuse("create")
    assert "Restore" not in text(client.get(f"/audit/{event.event_id}/"))


def test_copy_to_an_account_without_creations_is_not_offered(client_of, sandbox, staging):
    sid = sandbox.add_flow(friendly_name="Live")
    sync_account(sandbox.account_sid)
    client = client_of("operator")
    assert "Copy to staging" in text(client.get(f"/flows/{sid}/"))

    refuse("create", account_sid=staging.account_sid)

    assert "Copy to staging" not in text(client.get(f"/flows/{sid}/"))
    choice = text(client.get("/flows/new/"))
    assert "Can’t create flows now" in choice
    assert (
        f"account={staging.account_sid}" not in choice.partition("<main")[2].partition("choices")[2]
    )


def test_finished_bulk_change_offers_no_unavailable_rollback(client_of, sandbox, flow_sid):
    client = client_of("operator")
    client.post("/flows/plans/new/", {"sid": flow_sid, "kind": "disable"})
    plan = Plan.objects.get()
    client.post(f"/flows/plans/{plan.pk}/start/", {"reason": ""})
    call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)
    assert "Roll back…" in text(client.get(f"/flows/plans/{plan.pk}/"))

    refuse("fetch")

    assert "Roll back…" not in text(client.get(f"/flows/plans/{plan.pk}/"))


def test_bulk_change_that_can_not_start_gives_the_reason(client_of, flow_sid):
    client = client_of("operator")
    client.post("/flows/plans/new/", {"sid": flow_sid, "kind": "disable"})
    refuse("fetch")

    page = client.post(f"/flows/plans/{Plan.objects.get().pk}/start/", {"reason": ""})

    assert page.status_code == 403
    assert text(page).partition("<main")[2].count("Twilio refuses to show a flow") <= 2
