"""No page offers what can't work: each change takes the calls that it makes, in the account that it is about."""

import re

import pytest
from django.core.management import call_command
from django.urls import reverse

from flows.flexapi.errors import Refused
from flows.flexapi.sandbox import Fault, FaultKind
from flows.models import AuditEvent, OpenDrift, Plan
from flows.services import closures, mirror
from tests import ACCOUNT
from tests.faults.acting import OMAR, writes

pytestmark = pytest.mark.django_db(transaction=True)

WAYS = {
    "new": "/flows/new/(?!\\?clone)", "clone": "clone=FO", "edit": "/edit/", "switch": "/enabled/",
    "delete": "/flows/FO\\w+/delete/",
}  # fmt: skip


def text(page):
    return page.content.decode()


def ways(page):
    """The ways to a change that a page's own part offers."""
    main = text(page).partition("<main")[2]
    return {name for name, way in WAYS.items() if re.search(f'href="[^"]*{way}', main)}


def shut(*kinds, account_sid=ACCOUNT):
    for kind in kinds:
        closures.hear(account_sid, kind, Refused(status=403, code=20003))


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
def test_what_twilio_refuses_has_no_button(client_of, flow_sid, kinds, on_flow, on_list):
    shut(*kinds)
    client = client_of("operator")

    assert ways(client.get(f"/flows/{flow_sid}/")) == on_flow
    assert ways(client.get("/flows/")) == on_list


@pytest.mark.parametrize("status", [403, 410])
def test_where_no_flow_is_shown_nothing_that_reads_it_first_is_offered(client_of, sandbox, flow_sid, status):
    sandbox.inject(
        Fault(FaultKind.REFUSE, method="GET", path="/FlexFlows/*", times=None, status=status, code=20003)
    )
    client = client_of("operator")

    page = client.get(f"/flows/{flow_sid}/")

    assert ways(page) == set()
    assert text(page).count("Twilio refuses to show a flow") == 1
    assert len(re.findall(f"status {status}|HTTP {status}", text(page))) == 1
    listed = client.get("/flows/")
    assert ways(listed) == {"new"}
    assert 'value="disable"' not in text(listed)
    assert 'value="csv"' in text(listed)  # what is here can still be exported


@pytest.mark.parametrize("way", ["edit", "enabled", "delete"])
def test_form_that_could_not_be_sent_says_why_once(client_of, sandbox, flow_sid, way):
    shut("fetch")
    read = len(sandbox.requests)

    page = client_of("operator").get(reverse(f"flows:{way}", args=[flow_sid]))

    assert page.status_code == 403
    assert text(page).count("Twilio refuses to show a flow (status 403, code 20003).") == 1
    assert len(sandbox.requests) == read


def test_dialog_that_could_not_be_sent_says_why_once(client_of, flow_sid):
    shut("fetch")

    page = client_of("operator").get(f"/flows/{flow_sid}/enabled/", headers={"HX-Request": "true"})

    assert text(page).count("Twilio refuses to show a flow (status 403, code 20003).") == 1


def test_change_that_could_not_be_sent_is_refused_on_record(client_of, sandbox, flow_sid):
    shut("fetch")
    data = {"enabled": "false", "change_id": "0c1e9d5e-6b1f-4c07-8f3a-1d2b3c4d5e6f"}

    assert client_of("operator").post(f"/flows/{flow_sid}/enabled/", data).status_code == 403

    event = AuditEvent.objects.latest("seq")
    assert (event.result, event.payload.requested) == ("denied", {"enabled": False})
    assert writes(sandbox) == []


def test_looking_at_the_flow_once_twilio_shows_it_again_brings_the_buttons_back(client_of, flow_sid):
    shut("fetch")
    client = client_of("operator")
    assert ways(client.get("/flows/")) == {"new"}

    assert ways(client.get(f"/flows/{flow_sid}/")) == {"clone", "edit", "switch", "delete"}


def test_only_deletion_is_left_in_the_bulk_bar_where_only_that_works(client_of, flow_sid):
    shut("update")

    page = text(client_of("operator").get("/flows/"))

    assert 'value="delete"' in page
    assert 'value="enable"' not in page


class TestInbox:
    @pytest.fixture
    def drifted(self, sandbox, staging):
        """One flow in each account, changed elsewhere."""
        sids = [there.add_flow(friendly_name=name) for there, name in ((sandbox, "Live"), (staging, "Try"))]
        for there in (sandbox, staging):
            mirror.sync(there.account_sid)
        for there, sid in zip((sandbox, staging), sids, strict=True):
            there.edit_flow(sid, friendly_name="Elsewhere")
            mirror.sync(there.account_sid)
        return sids

    def items(self, page):
        return {item.last.target_sid: (item.may_accept, item.can_revert) for item in page.context["found"]}

    def test_each_item_is_judged_in_its_own_account(self, client_of, person, sandbox, staging, drifted):
        user = person("viewer", "vera")
        user.account_roles.create(account_sid=staging.account_sid, role=person("operator").groups.get())

        page = client_of("viewer", "vera").get("/flows/drift/")

        assert self.items(page) == {drifted[0]: (False, False), drifted[1]: (True, True)}
        assert text(page).count("drift-accept") + text(page).count("/accept/") == 1

    def test_account_that_is_read_only_can_accept_and_not_revert(self, client_of, sandbox, drifted):
        closures.close(account_sid=sandbox.account_sid, reason="A freeze", actor=OMAR)

        page = client_of("operator").get("/flows/drift/")

        assert self.items(page) == {drifted[0]: (True, False), drifted[1]: (True, True)}

    @pytest.mark.parametrize(
        ("kind", "can"), [("fetch", False), ("update", False), ("delete", True), ("create", True)]
    )
    def test_revert_takes_the_calls_of_an_update(self, client_of, sandbox, flow_sid, kind, can):
        sandbox.edit_flow(flow_sid, friendly_name="Elsewhere")
        mirror.sync(ACCOUNT)
        shut(kind)

        assert self.items(client_of("operator").get("/flows/drift/")) == {flow_sid: (True, can)}

    @pytest.mark.parametrize(("kind", "can"), [("fetch", True), ("create", False)])
    def test_making_a_deleted_flow_again_takes_a_creation_alone(
        self, client_of, sandbox, flow_sid, kind, can
    ):
        sandbox.remove_flow(flow_sid)
        mirror.sync(ACCOUNT)
        assert OpenDrift.objects.count() == 1
        shut(kind)

        assert self.items(client_of("operator").get("/flows/drift/")) == {flow_sid: (True, can)}


def test_restore_of_a_deleted_flow_takes_a_creation_alone(client_of, sandbox, flow_sid):
    sandbox.remove_flow(flow_sid)
    mirror.sync(ACCOUNT)
    event = AuditEvent.objects.get(action="flow.drift")
    client = client_of("operator")

    shut("fetch")
    assert "Restore" in text(client.get(f"/audit/{event.event_id}/"))
    shut("create")
    assert "Restore" not in text(client.get(f"/audit/{event.event_id}/"))


def test_copy_to_an_account_where_nothing_can_be_created_is_not_offered(client_of, sandbox, staging):
    sid = sandbox.add_flow(friendly_name="Live")
    mirror.sync(sandbox.account_sid)
    client = client_of("operator")
    assert "Copy to staging" in text(client.get(f"/flows/{sid}/"))

    shut("create", account_sid=staging.account_sid)

    assert "Copy to staging" not in text(client.get(f"/flows/{sid}/"))
    choice = text(client.get("/flows/new/"))
    assert "Can’t create flows now" in choice
    assert f"account={staging.account_sid}" not in choice.partition("<main")[2].partition("choices")[2]


def test_plan_that_is_done_offers_no_way_back_that_could_not_be_made(client_of, sandbox, flow_sid):
    client = client_of("operator")
    client.post("/flows/plans/new/", {"sid": flow_sid, "kind": "disable"})
    plan = Plan.objects.get()
    client.post(f"/flows/plans/{plan.pk}/start/", {"reason": ""})
    call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)
    assert "Roll back…" in text(client.get(f"/flows/plans/{plan.pk}/"))

    shut("fetch")

    assert "Roll back…" not in text(client.get(f"/flows/plans/{plan.pk}/"))


def test_plan_that_can_not_be_started_says_why_once(client_of, flow_sid):
    client = client_of("operator")
    client.post("/flows/plans/new/", {"sid": flow_sid, "kind": "disable"})
    shut("fetch")

    page = client.post(f"/flows/plans/{Plan.objects.get().pk}/start/", {"reason": ""})

    assert page.status_code == 403
    assert text(page).partition("<main")[2].count("Twilio refuses to show a flow") <= 2
