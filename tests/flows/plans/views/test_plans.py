"""The pages of plans: from a selection to a plan, its start with the words that it takes, and the ways on."""

import re
import uuid
from html import unescape

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from flexadmin.users.roles import ROLES
from flows.audit.models import AuditEvent
from flows.erasure import erasure
from flows.mirror import mirror
from flows.mirror.models import Flow
from flows.plans import drafts, import_draft
from flows.plans.import_draft import ImportEntry
from flows.plans.models import Plan
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import locked_log, received_writes

pytestmark = pytest.mark.django_db(transaction=True)
NEW = "/flows/plans/new/"


@pytest.fixture
def sids(sandbox, db):
    found = [sandbox.add_flow(friendly_name=f"Flow {number}", enabled=True) for number in range(3)]
    mirror.sync(ACCOUNT)
    return found


@pytest.fixture
def operator(client_of):
    return client_of("operator")


def the_plan():
    return Plan.objects.get()


def make(client, sids, kind="disable", **more):
    response = client.post(NEW, {"sid": sids, "kind": kind, **more})
    assert response.status_code == 302, response.content.decode()
    return Plan.objects.latest("made_at")


def page_of(client, plan, **query):
    return client.get(reverse("flows:plan", args=[plan.pk]), query)


def act(client, plan, what, **data):
    return client.post(reverse(f"flows:plan-{what}", args=[plan.pk]), data)


def work():
    call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)


def test_list_offers_to_select(operator, sids):
    text = operator.get("/flows/").content.decode()

    assert text.count('name="sid"') == 3
    assert "Select all 3 matching flows" in text


def test_viewer_can_copy_out_and_plan_nothing(client_of, sids):
    text = client_of("viewer").get("/flows/").content.decode()

    assert "/flows/copy-out/" in text
    assert '<select name="kind">' not in text
    assert client_of("viewer").post(NEW, {"sid": sids, "kind": "disable"}).status_code == 403


def test_only_sids_can_be_selected(operator, sids):
    operator.post(NEW, {"sid": ["foo", "FO1", sids[0]], "kind": "disable"})

    assert [change.target_sid for change in the_plan().changes.all()] == [sids[0]]


def test_plan_stopped_in_the_middle_of_deleting_asks_for_the_number_again(operator, sandbox, sids):
    plan = make(operator, sids, "delete")
    act(operator, plan, "start", confirm="3")
    act(operator, plan, "stop")

    text = page_of(operator, plan).content.decode()

    assert "3 flows will be deleted. Enter this number to confirm" in text
    assert act(operator, plan, "start").status_code == 422
    work()
    assert received_writes(sandbox) == []


def test_polling_asks_the_same_few_questions_whatever_the_plans_length(operator, sandbox):
    def asked(count):
        found = [sandbox.add_flow(enabled=True) for _ in range(count)]
        mirror.sync(ACCOUNT)
        plan = make(operator, found)
        act(operator, plan, "start")
        work()
        with CaptureQueriesContext(connection) as queries:
            page_of(operator, plan)
        return len(queries)

    assert asked(2) == asked(12)


def test_selection_becomes_a_plan(operator, sids):
    response = operator.post(NEW, {"sid": sids[:2], "sids": sids[2], "kind": "disable"})

    assert response.url == reverse("flows:plan", args=[the_plan().pk])
    assert {change.target_sid for change in the_plan().changes.all()} == set(sids)
    assert AuditEvent.objects.exclude(stage="observed").count() == 0


def test_all_that_match_is_what_the_query_finds(operator, sids):
    operator.post(NEW, {"all": "1", "query": "q=flow+1", "kind": "disable"})

    assert [change.target_sid for change in the_plan().changes.all()] == [sids[1]]


def test_no_selection_leads_back_to_the_same_list(operator, sids):
    response = operator.post(NEW, {"query": "q=flow&sort=-name", "kind": "disable"}, follow=True)

    assert response.redirect_chain[0][0] == "/flows/?q=flow&sort=-name"
    assert "Select at least one flow." in response.content.decode()
    assert not Plan.objects.exists()


@pytest.mark.parametrize(("kind", "bad", "good"), [
    ("retry_count", "4", "2"),
    ("retry_count", "", "0"),
    ("webhook_host", "https://hooks.example.com/", "hooks.example.com"),
    ("webhook_host", "a b", "hooks.example.com:8443"),
    ("studio_flow", "FW1", "FW" + "3" * 32),
])  # fmt: skip
def test_value_is_asked_for_and_checked(operator, sids, kind, bad, good):
    asked = operator.post(NEW, {"sid": sids, "kind": kind})
    refused = operator.post(NEW, {"sids": " ".join(sids), "kind": kind, "value": bad})

    assert asked.status_code == 200
    assert "Fix 1 problem to continue" not in asked.content.decode()
    assert refused.status_code == 422
    assert f'value="{bad}"' in refused.content.decode() or not bad
    assert not Plan.objects.exists()
    assert make(operator, sids, kind, value=good).changes.count() == 3


def test_unknown_kind_is_refused(operator, sids):
    assert operator.post(NEW, {"sid": sids, "kind": "explode"}).status_code == 422
    assert not Plan.objects.exists()


def test_draft_shows_old_and_new_and_what_is_left_out(operator, sandbox, sids):
    sandbox.edit_flow(sids[0], enabled=False)
    mirror.sync(ACCOUNT)

    text = page_of(operator, make(operator, sids)).content.decode()

    assert "Review: 2 flows will change" in text
    assert "Already set." in text
    assert "Skipped 1" in text


def test_only_one_state_can_be_shown(operator, sandbox, sids):
    sandbox.edit_flow(sids[0], enabled=False)
    mirror.sync(ACCOUNT)
    plan = make(operator, sids)

    rows = page_of(operator, plan, state="skipped").context["rows"]

    assert [row["sid"] for row in rows] == [sids[0]]


def test_started_plan_is_carried_out_and_told(operator, sandbox, sids):
    plan = make(operator, sids)

    assert act(operator, plan, "start", reason="Move").url == reverse("flows:plan", args=[plan.pk])
    live = page_of(operator, plan).content.decode()
    work()
    done = page_of(operator, plan).content.decode()

    assert 'hx-trigger="every 2s"' in live
    assert "0 of 3 processed" in live
    assert "hx-trigger" not in done
    assert "3 of 3 flows changed" in done
    assert "Roll back…" in done
    assert len(received_writes(sandbox)) == 3


def test_fragment_is_the_plan_alone(operator, sids):
    plan = make(operator, sids)

    text = operator.get(
        reverse("flows:plan", args=[plan.pk]), headers={"HX-Request": "true"}
    ).content.decode()

    assert "<html" not in text
    assert 'id="plan"' in text


def test_deletion_takes_the_number(operator, sandbox, sids):
    plan = make(operator, sids, "delete")

    missing, wrong = act(operator, plan, "start"), act(operator, plan, "start", confirm="2")
    work()

    assert [missing.status_code, wrong.status_code] == [422, 422]
    assert "Enter 3 to confirm." in wrong.content.decode().replace("&#x27;", "'")
    assert received_writes(sandbox) == []
    assert act(operator, plan, "start", confirm="3").status_code == 302


def test_start_that_cannot_be_recorded_is_503(operator, sandbox, sids):
    plan = make(operator, sids)

    with locked_log():
        response = act(operator, plan, "start", reason="kept")

    assert response.status_code == 503
    assert "nothing is sent" in response.content.decode()
    assert 'value="kept"' in response.content.decode()


def test_stop_and_go_on(operator, sandbox, sids):
    plan = make(operator, sids)
    act(operator, plan, "start")

    act(operator, plan, "stop")
    work()
    text = page_of(operator, plan).content.decode()

    assert "<strong>Stopped.</strong> 3 flows were not processed." in text
    assert "Resume (3 left)" in text
    assert received_writes(sandbox) == []


def test_way_back_and_rest_are_plans(operator, sandbox, sids):
    plan = make(operator, sids)
    act(operator, plan, "start")
    assert "has not finished yet" in operator.get(act(operator, plan, "undo").url).content.decode()
    work()

    back = Plan.objects.get(pk=act(operator, plan, "undo").url.split("/")[-2])
    nothing = operator.get(act(operator, plan, "rest").url).content.decode()

    assert (back.undoes, back.changes.count()) == (plan, 3)
    assert "There is nothing to retry." in nothing
    assert Plan.objects.count() == 2


def test_draft_can_be_thrown_away(operator, sids):
    plan = make(operator, sids)

    assert act(operator, plan, "discard").url == "/flows/plans/"

    assert not Plan.objects.exists()


def test_started_plan_stays(operator, sids):
    plan = make(operator, sids)
    act(operator, plan, "start")

    act(operator, plan, "discard")

    assert Plan.objects.exists()


@pytest.mark.parametrize("what", ["start", "stop", "undo", "rest", "discard"])
def test_viewer_looks_only(client_of, sids, what):
    plan = make(client_of("operator"), sids)
    viewer = client_of("viewer")

    assert page_of(viewer, plan).status_code == 200
    assert act(viewer, plan, what).status_code == 403
    got = client_of("operator").get(reverse(f"flows:plan-{what}", args=[plan.pk]))
    assert (got.status_code, Plan.objects.get().state) == (302 if what == "start" else 405, "draft")


def test_person_without_one_of_its_permissions_cannot_start_it(client_of, sids, monkeypatch):
    operator = client_of("operator")
    plan = make(operator, sids, "delete")
    monkeypatch.setitem(ROLES, "clerk", (*ROLES["viewer"], "change_flow"))
    clerk = client_of("clerk")

    text = page_of(clerk, plan).content.decode()
    response = act(clerk, plan, "start", confirm="3")

    assert "your role lacks the permission <code>flows.delete_flow</code>" in text
    assert response.status_code == 403
    assert (
        AuditEvent.objects.filter(action="plan.start", result="denied", actor_label="clerk").count()
        == 1
    )


def test_waiting_plan_says_what_it_waits_for(operator, sids):
    plan = make(operator, sids)
    act(operator, plan, "start")
    Plan.objects.update(alive_at="2026-11-01T00:00:00Z")

    assert "manage.py db_worker" in page_of(operator, plan).content.decode()


def test_log_shows_the_changes_of_a_plan(operator, sids):
    plan, other = make(operator, sids[:2]), make(operator, sids[2:])
    act(operator, plan, "start")
    act(operator, other, "start")
    work()

    response = operator.get("/audit/", {"plan": str(plan.pk)})

    assert {event.target_sid for event in response.context["events"]} == {*sids[:2], ""}
    assert "Bulk change: Turn off 2 flows" in response.content.decode()
    event = AuditEvent.objects.filter(target_sid=sids[0], stage="outcome").get()
    assert "Part of a bulk change" in operator.get(f"/audit/{event.event_id}/").content.decode()


def test_unknown_plan_is_404(operator):
    assert operator.get(f"/flows/plans/{uuid.uuid4()}/").status_code == 404


def test_plans_are_listed(operator, sids):
    make(operator, sids)

    text = operator.get("/flows/plans/").content.decode()

    assert "Turn off 3 flows" in text
    assert "Draft" in text


def test_copied_out_csv_is_harmless(operator, sandbox):
    sid = sandbox.add_flow(friendly_name="=1+1")
    mirror.sync(ACCOUNT)

    text = operator.post("/flows/copy-out/", {"sid": [sid], "format": "csv"}).content.decode()

    assert text.startswith("\ufeffsid,account_sid,friendly_name")
    assert "'=1+1" in text


def test_copy_that_cannot_be_recorded_is_not_given(operator, sids):
    with locked_log():
        response = operator.post("/flows/copy-out/", {"sid": sids, "format": "csv"})

    assert response.status_code == 302


def test_what_was_typed_comes_back_without_being_sent(operator, sandbox, sids):
    plan = make(operator, sids)

    started = act(operator, plan, "start", reason="Typed", edit_again="1").content.decode()
    imported = operator.post("/flows/plans/import/", {"entries": "[typed", "edit_again": "1"})

    assert 'value="Typed"' in started
    assert "Fix 1 problem to continue" not in started
    assert (imported.status_code, "[typed" in imported.content.decode()) == (200, True)
    assert Plan.objects.get().state == "draft"


def test_erased_flow_is_gone_from_plans(sandbox, operator, actor):
    sid = sandbox.add_flow(
        friendly_name="Marta Example", contact_identity="+15550177", enabled=True
    )
    mirror.sync(ACCOUNT)
    plan = import_draft.plan_import(
        entries=[ImportEntry(sid, {"contact_identity": "+15550188"})], made_by="omar"
    )

    erasure.erase(sid=sid, actor=actor)

    change = plan.changes.get()
    assert (change.friendly_name, change.before, change.asked) == ("", {}, {})
    assert change.skipped == "Personal data erased."
    assert page_of(operator, plan).status_code == 200


# What a bulk change says of itself


@pytest.fixture
def both(sandbox, staging):
    """Two flows in production, one in staging."""
    made = []
    for there, names in ((sandbox, ["One", "Two"]), (staging, ["Three"])):
        made += [
            there.add_flow(
                friendly_name=name,
                channel_type="sms",
                contact_identity=f"+1415555010{place}",
                enabled=True,
            )
            for place, name in enumerate(names)
        ]
        mirror.sync(there.account_sid)
    return made


def shown(page):
    return unescape(page.content.decode())


def test_draft_of_a_deletion_says_what_where_and_that_the_sid_never_comes_back(operator, both):
    plan = make(operator, both, "delete")

    text = shown(page_of(operator, plan))

    assert '<h1 dir="auto">Delete 3 flows in production and staging</h1>' in text
    assert "Review: 3 flows will be deleted in production and staging" in text
    assert "A deleted flow’s SID never comes back." in text
    assert text.count("Will be deleted") == 3
    assert "Deleted</span>" not in text
    assert (
        '<button class="button danger" data-busy="Starting…">Delete 3 flows in production and staging</button>'
        in text
    )
    assert [
        (str(one["account"]), one["text"]) for one in page_of(operator, plan).context["totals"]
    ] == [
        ("production", "2 flows will be deleted"),
        ("staging", "1 flow will be deleted"),
    ]


def test_rows_have_account_identity_and_sid(operator, both):
    text = shown(page_of(operator, make(operator, both)))

    for sid in both:
        assert f'<span title="{sid}">{sid[:6]}…{sid[-4:]}</span><button class="copy"' in text
    assert text.count("+14155550100") == 2
    assert len(re.findall(r'data-label="Account">\s*<span class="mark red"', text)) == 2


def test_finished_deletion_is_told_in_its_tense(operator, sandbox, both):
    plan = make(operator, both, "delete")
    sandbox.edit_flow(both[0], friendly_name="Renamed meanwhile")
    act(operator, plan, "start", confirm="3")
    work()

    text = shown(page_of(operator, plan))

    assert "2 of 3 flows deleted" in text
    assert "Finished: 1 conflict" in text
    assert text.count(">Deleted</span>") == 2
    assert text.count(">Not deleted</span>") == 1
    assert "in the meantime. Nothing was sent." in text
    assert "Retry 1 conflict…" in text
    assert "Will be" not in text


def test_deletion_whose_answer_was_lost_is_told_as_unknown(operator, sandbox, sids):
    plan = make(operator, sids[:1], "delete")
    sandbox.inject(Fault(kind=FaultKind.APPLY_THEN_DROP, method="DELETE", times=None))
    act(operator, plan, "start", confirm="1")
    work()

    text = shown(page_of(operator, plan))

    assert "0 of 1 flow deleted" in text
    assert "May be deleted" in text
    assert "Unknown outcome" in text
    assert "Finished: 1 unknown outcome" in text


def test_title_of_one_account_names_it_and_of_a_site_with_one_names_none(operator, both):
    assert (
        make(operator, both[:1], "retry_count", value="2").title
        == "Set the retry count of 1 flow in production to 2"
    )


def test_title_of_a_site_with_one_account_names_none(operator, sids):
    assert (
        make(operator, sids, "studio_flow", value="FW" + "3" * 32).title
        == f"Route 3 flows to Studio Flow FW{'3' * 32}"
    )


def test_mixed_changes_are_counted_by_what_happens_to_the_flows(operator, both):
    entries = [
        ImportEntry(both[0], {"friendly_name": "Uno"}),
        ImportEntry(values={"friendly_name": "Neu"}, account_sid=both_account(both[2])),
    ]
    plan = import_draft.plan_import(entries=entries, made_by="operator")

    text = shown(page_of(operator, plan))

    assert "Review: 1 flow will change, 1 will be created in production and staging" in text
    assert "Apply 2 changes in production and staging" in text
    assert plan.title == "Import: change 1 flow, create 1 flow in production and staging"


def both_account(sid):
    return Flow.objects.get(sid=sid).account_sid


def test_other_flow_of_a_collision_is_named_and_linked(operator, sandbox):
    other = sandbox.add_flow(
        friendly_name="Cora", channel_type="sms", contact_identity="+14155550100", enabled=True
    )
    sid = sandbox.add_flow(
        friendly_name="Berta", channel_type="sms", contact_identity="+1 415 555 0100", enabled=False
    )
    mirror.sync(ACCOUNT)

    text = shown(page_of(operator, make(operator, [sid], "enable")))

    assert (
        f'<a href="/flows/{other}/">“Cora” ({other[:6]}…{other[-4:]})</a> is enabled for the same channel and identity.'
        in text
    )


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("state=todo", "“todo” is not a state of a flow."),
        ("page=x", "“x” is not a page number."),
        ("state=%00", "is not a state"),
    ],
)
def test_state_or_page_that_means_nothing_shows_no_flow(operator, sids, query, says):
    page = operator.get(f"{reverse('flows:plan', args=[make(operator, sids).pk])}?{query}")

    assert says in shown(page)
    assert page.context["rows"] == []


def test_selection_beyond_the_bound_is_refused_with_its_number(operator, sids, monkeypatch):
    monkeypatch.setattr(drafts, "MAX_FLOWS", 2)

    answer = operator.post(NEW, {"all": "1", "query": "", "kind": "disable"}, follow=True)

    assert (
        "3 flows are selected. A bulk change can have 2 at most: narrow the search first."
        in shown(answer)
    )
    assert not Plan.objects.exists()


def test_many_more_flows_than_an_account_of_twilios_has_are_all_planned(sandbox, operator):
    """None of them was ever to be called "not synced"."""
    mirror._save_snapshots(
        {f"FO{number:032}": {"sid": f"FO{number:032}", "enabled": True} for number in range(2_600)},
        ACCOUNT,
    )

    plan = make(operator, [], "disable", all="1", query="")

    assert plan.changes.filter(skipped="").count() == 2_600
