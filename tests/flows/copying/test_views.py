"""The page that copies flows to another account, and the bulk change that comes of it."""

import html
import re
from datetime import timedelta
from unittest import mock

import pytest
from django.contrib.auth.models import Group, User
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from flexadmin.models import AccountRole
from flows.audit import audit_log
from flows.audit.audit_log import Actor
from flows.audit.models import AuditEvent
from flows.availability import restrictions
from flows.copying import forms, views
from flows.history.moments import format_moment
from flows.mirror.sync import sync_account
from flows.plans.models import Plan
from flows.sid_map import mappings
from flows.sid_map.mappings import Direction
from flows.sid_map.models import SidMapping
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.taskrouter.workflow import WORKFLOW
from flows.twilio.taskrouter.workspace import WORKSPACE
from tests import ACCOUNT
from tests.flows.copying.samples import (
    BASE,
    SERVICE,
    STAGING_SERVICE,
    STAGING_STUDIO,
    STUDIO,
    URL,
    compare,
    mark_as_read,
    name_object,
    sync_both,
)
from tests.flows.plans.running import run_to_end

pytestmark = pytest.mark.django_db
in_a_real_run = pytest.mark.django_db(transaction=True)
SECRET_URL = "https://hooks.example.com/in/tok_9f8e7d6c5b4a39281706f5e4d3c2b1a0"


def text(page):
    return " ".join(html.unescape(strip_tags(page.content.decode())).split())


def planned(plan):
    return {
        change.friendly_name: (change.action, change.requested, change.skip_reason)
        for change in plan.changes.all()
    }


def actor_of(name="operator"):
    user = User.objects.get(username=name)
    return Actor(id=str(user.pk), label=name, role="operator", source_ip="192.0.2.7")


def at_twilio(sandbox, name):
    flows = [FLEX_FLOW.decode(flow) for flow in sandbox.flows.values()]
    return next(flow for flow in flows if flow["friendly_name"] == name)


def test_ways_back_keep_the_search_of_the_comparison(client_of, two):
    query = {**two.query, "flow": two.sids[0], "q": "one word", "result": "only_left"}
    client = client_of("operator")
    page = client.get(URL, query)
    names = ("q", "result")
    for name in names:  # the form carries them to its next page
        assert f'name="{name}" value="{query[name]}"' in page.content.decode()
    links = re.findall(r'href="/flows/history/compare/\?([^"]*)"', page.content.decode())
    assert len(links) == 2  # the crumb and Cancel
    for link in links:
        parameters = QueryDict(html.unescape(link))
        assert [parameters[name] for name in names] == ["one word", "only_left"]


def test_each_sid_is_asked_for_once_over_two_copies(client_of, two):
    client = client_of("operator")
    first = client.get(URL, {**two.query, "flow": two.sids[0]})

    client.post(URL, {**two.data, "flow": two.sids[0]})
    second = client.get(URL, two.query)

    assert [row["use"].sid for row in first.context["new_sids"]] == [SERVICE, STUDIO]
    assert first.context["known_sids"] == []
    assert second.context["new_sids"] == []
    known = {row["use"].sid: row["field"].value() for row in second.context["known_sids"]}
    assert known == {SERVICE: STAGING_SERVICE, STUDIO: STAGING_STUDIO}
    assert [row["use"].flows for row in second.context["known_sids"]] == [2, 2]
    assert "Known SIDs" in text(second)


def test_draft_creates_and_updates_and_sends_nothing(client_of, two):
    before = len(two.staging.requests)

    page = client_of("operator").post(URL, two.data, follow=True)

    plan = Plan.objects.get()
    assert plan.title == "Copy of 2 flows to staging"
    assert planned(plan) == {
        "Bookings": (
            "flow.create",
            {
                "friendly_name": "Bookings",
                "chat_service_sid": STAGING_SERVICE,
                "channel_type": "sms",
                "contact_identity": "+33199000101",
                "enabled": False,
                "integration_type": "studio",
                "integration_flow_sid": STAGING_STUDIO,
                "integration_retry_count": 3,
                "long_lived": False,
                "janitor_enabled": False,
            },
            "",
        ),
        "Returns": ("flow.update", {"integration_retry_count": 3}, ""),
    }
    assert "Copy of 2 flows to staging" in text(page)
    assert [one for one in two.staging.requests[before:] if one.method != "GET"] == []


@in_a_real_run
def test_run_gives_flows_that_differ_in_the_mapped_sids_only(client_of, two):
    client = client_of("operator")
    client.post(URL, two.data)

    statuses = run_to_end(Plan.objects.get(), actor_of())

    assert [status.value for status in statuses] == ["made", "made"]
    source, copy = (at_twilio(each, "Bookings") for each in (two.production, two.staging))
    assert set(FLEX_FLOW.changed_writable_fields(source, copy)) == {
        "chat_service_sid",
        "integration_flow_sid",
        "enabled",
    }
    assert copy["enabled"] is False
    assert copy["integration_flow_sid"] == STAGING_STUDIO
    changed = at_twilio(two.staging, "Returns")
    assert changed["integration_retry_count"] == 3
    assert changed["contact_identity"] == "+33199000902"  # it keeps its own number
    assert changed["enabled"] is True


@in_a_real_run
def test_comparison_after_a_copy_takes_the_map_into_account(client_of, two):
    client = client_of("operator")
    before = compare(client, two.staging)
    client.post(URL, {**two.data, "copy_identities": "on"})
    run_to_end(Plan.objects.get(), actor_of())
    sync_both(two.staging)

    after = compare(client, two.staging)
    page = client.get("/flows/history/compare/", {"compare": "accounts", **two.query, "all": "1"})

    assert before["Bookings"] == ("only_left", ())
    assert set(before["Returns"][1]) > {"integration_flow_sid", "chat_service_sid"}
    assert after == {"Bookings": ("different", ("enabled",))}
    assert "2 mapped SIDs count as equal." in text(page)
    assert "Equal (mapped SIDs)" in text(page)
    again = text(client.get(URL, {**two.query, "flow": two.sids[0]}))
    assert "Only on/off differs, and a copy doesn't change that." in again
    swapped = {"left": two.target, "right": ACCOUNT}
    assert compare(client, two.staging, **swapped) == after


@in_a_real_run
def test_flow_that_is_off_as_well_is_equal_after_a_copy(client_of, two):
    off_sid = two.production.add_flow(
        **{**BASE, "enabled": False}, friendly_name="Spare", contact_identity="+33199000103"
    )
    sync_account(ACCOUNT)
    client = client_of("operator")
    client.post(URL, {**two.data, "flow": off_sid})
    run_to_end(Plan.objects.get(), actor_of())

    assert "Spare" not in compare(client, two.staging)
    assert "1 chosen flow can’t be copied" in text(client.get(URL, {**two.query, "flow": off_sid}))


def test_proposals_have_the_same_name_and_wait_for_a_confirmation(client_of, two):
    name_object(ACCOUNT, STUDIO, "Support IVR")
    name_object(two.target, STAGING_STUDIO, "support ivr")
    client = client_of("operator")

    page = client.get(URL, two.query)
    refused = client.post(URL, two.data)

    (use,) = [row["use"] for row in page.context["new_sids"] if row["use"].sid == STUDIO]
    assert (use.proposed, use.name) == (STAGING_STUDIO, "Support IVR")
    assert "Suggested: it has the same name." in text(page)
    assert refused.status_code == 422
    assert "Check the suggested matches or choose others." in text(refused)
    assert not Plan.objects.exists()
    assert not SidMapping.objects.exists()
    assert client.post(URL, {**two.data, "confirmed": "on"}).status_code == 302


def test_other_choice_needs_no_confirmation(client_of, two):
    name_object(ACCOUNT, STUDIO, "Support IVR")
    name_object(two.target, STAGING_STUDIO, "Support IVR")
    other = "FW" + "d" * 32

    page = client_of("operator").post(URL, {**two.data, f"sid_{STUDIO}": other})

    assert page.status_code == 302
    assert mappings.load_map(Direction(ACCOUNT, two.target))[STUDIO] == other


def test_name_of_two_objects_is_no_proposal(client_of, two):
    name_object(ACCOUNT, STUDIO, "Support IVR")
    name_object(two.target, STAGING_STUDIO, "Support IVR")
    name_object(two.target, "FW" + "d" * 32, "Support IVR")

    page = client_of("operator").get(URL, two.query)

    assert [row["use"].proposed for row in page.context["new_sids"]] == ["", ""]


def test_workflow_is_proposed_from_the_counterpart_of_its_workspace(client_of, two):
    task = {
        "integration_type": "task",
        "integration_workspace_sid": "WS" + "1" * 32,
        "integration_workflow_sid": "WW" + "1" * 32,
        "integration_channel": "sms",
    }
    fields = {key: value for key, value in BASE.items() if not key.startswith("integration")}
    sid = two.production.add_flow(**fields, **task, friendly_name="Tasks")
    sync_account(ACCOUNT)
    name_object(ACCOUNT, "WS" + "1" * 32, "Flex", WORKSPACE)
    name_object(ACCOUNT, "WW" + "1" * 32, "Assign", WORKFLOW, "WS" + "1" * 32)
    name_object(two.target, "WS" + "e" * 32, "Flex", WORKSPACE)
    name_object(two.target, "WW" + "e" * 32, "Assign", WORKFLOW, "WS" + "e" * 32)
    name_object(two.target, "WW" + "d" * 32, "Assign", WORKFLOW, "WS" + "d" * 32)

    page = client_of("operator").get(URL, {**two.query, "flow": sid})

    proposed = {row["use"].sid[:2]: row["use"].proposed for row in page.context["new_sids"]}
    assert proposed == {"IS": "", "WS": "WS" + "e" * 32, "WW": "WW" + "e" * 32}


def test_map_of_the_other_direction_is_proposed(client_of, two, actor):
    reverse = Direction(two.target, ACCOUNT)
    mappings.change_map(reverse, {STAGING_STUDIO: STUDIO}, actor)

    page = client_of("operator").get(URL, two.query)

    uses = {row["use"].sid: row["use"] for row in page.context["new_sids"]}
    assert uses[STUDIO].proposed == STAGING_STUDIO
    assert "Suggested: mapped when copying the other way." in text(page)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("", "Choose the Studio Flow in staging for FW1111"),
        ("WW" + "e" * 32, "This is not the SID of a Studio Flow. It starts with FW"),
        ("FW12", "This is not the SID of a Studio Flow."),
        ("FW" + "0" * 32, "staging has no Studio Flow with this SID."),
        ("FW" + "9" * 32, "This Studio Flow was deleted in staging."),
        (STUDIO, "staging has no Studio Flow with this SID."),
        ("<script>alert(1)</script>", "This is not the SID of a Studio Flow."),
        ("\u202eFW\x00", "Null characters are not allowed."),
    ],
)
def test_wrong_sids_are_refused_and_nothing_is_stored(client_of, two, value, words):
    mark_as_read(two.target)
    name_object(two.target, STAGING_STUDIO, "Support IVR")
    name_object(two.target, "FW" + "9" * 32, "Old IVR", gone_at=timezone.now())

    page = client_of("operator").post(URL, {**two.data, f"sid_{STUDIO}": value})

    assert page.status_code == 422
    assert words in text(page)
    assert "<script>alert" not in page.content.decode()
    assert not SidMapping.objects.exists()
    assert not Plan.objects.exists()


def test_sid_of_the_other_account_is_refused_without_names(client_of, two):
    page = client_of("operator").post(URL, {**two.data, f"sid_{STUDIO}": STUDIO})

    assert "This is the SID of the other account, not staging." in text(page)


def test_sids_that_cannot_be_checked_are_taken_with_a_warning(client_of, two):
    client = client_of("operator")

    page = client.get(URL, two.query)
    plan_page = client.post(URL, two.data, follow=True)

    assert "Not all names of staging have been read" in text(page)
    assert "2 of the SIDs couldn't be checked" in text(plan_page)


def test_typed_sid_counts_when_another_sid_is_selected(client_of, two):
    name_object(two.target, STAGING_STUDIO, "Support IVR")
    data = {**two.data, f"sid_{STUDIO}": "_other", f"sid_{STUDIO}_other": " FW" + "d" * 32}

    page = client_of("operator").post(URL, data)

    assert page.status_code == 302
    assert mappings.load_map(Direction(ACCOUNT, two.target))[STUDIO] == "FW" + "d" * 32


class TestMaskedWebhook:
    @pytest.fixture
    def external_sid(self, two):
        sid = two.production.add_flow(
            friendly_name="Hook",
            channel_type="web",
            chat_service_sid=SERVICE,
            enabled=True,
            integration_type="external",
            integration_url=SECRET_URL,
        )
        sync_account(ACCOUNT)
        return sid

    def post(self, client, two, sid, url):
        return client.post(URL, {**two.data, "flow": sid, f"url_{sid}": url})

    def test_whole_url_is_asked_for(self, client_of, two, external_sid):
        client = client_of("operator")

        page = client.get(URL, {**two.query, "flow": external_sid})
        self.post(client, two, external_sid, "https://staging.example.com/in")

        assert "enter the whole URL" in text(page)
        assert "tok_9f8e" not in page.content.decode()
        (change,) = planned(Plan.objects.get()).values()
        assert change[1]["integration_url"] == "https://staging.example.com/in"

    @pytest.mark.parametrize(
        ("url", "words"),
        [
            (SECRET_URL, "This URL contains a secret"),
            ("ftp://hooks.example.com/", "http"),
            ("https://hooks.example.com/«masked:0a1b2c3d»", "contains a"),
        ],
    )
    def test_wrong_url_is_kept_in_the_form_and_stored_nowhere(
        self, client_of, two, external_sid, url, words
    ):
        page = self.post(client_of("operator"), two, external_sid, url)

        assert page.status_code == 422
        assert words in text(page)
        assert page.context["form"][f"url_{external_sid}"].value() == url
        assert not Plan.objects.exists()

    def test_without_a_url_the_flow_is_skipped(self, client_of, two, external_sid):
        self.post(client_of("operator"), two, external_sid, "")

        (change,) = planned(Plan.objects.get()).values()
        assert change[2].startswith("Its webhook contains a secret")


def test_past_moment_is_copied_as_it_was(client_of, two):
    start = timezone.now()
    two.production.edit_flow(two.sids[0], friendly_name="Bookings (new)")
    with mock.patch("django.utils.timezone.now", return_value=start + timedelta(hours=2)):
        sync_account(ACCOUNT)
        client = client_of("operator")
        then = format_moment(start + timedelta(hours=1))

        page = client.get(URL, {**two.query, "at": then})
        client.post(URL, {**two.data, "at": then})

    assert "as they were at" in text(page)
    assert "Bookings" in planned(Plan.objects.get())
    assert "Bookings (new)" not in planned(Plan.objects.get())


def test_identities_of_existing_flows_are_copied_on_request(client_of, two):
    client = client_of("operator")

    page = client.get(URL, two.query)
    client.post(URL, {**two.data, "copy_identities": "on"})

    assert "copy_identities" in page.context["form"].fields
    _, requested, _ = planned(Plan.objects.get())["Returns"]
    assert requested == {"contact_identity": "+33199000102", "integration_retry_count": 3}


@pytest.mark.parametrize("choice", [{"every": "1", "flow": []}, {}])
def test_flow_never_changes_the_channel_of_one_with_the_same_name(client_of, two, choice):
    """The staging flow would become a WhatsApp flow with the number of SMS."""
    sid = two.production.add_flow(
        **{**BASE, "channel_type": "whatsapp"},
        friendly_name="Support",
        contact_identity="whatsapp:+33199000104",
    )
    two.staging.add_flow(**BASE, friendly_name="Support", contact_identity="+33199000904")
    sync_both(two.staging)
    choice = {"flow": [sid, two.sids[0]], **choice}
    client = client_of("operator")

    comparison = client.get("/flows/history/compare/", {"compare": "accounts", **two.query})
    page = client.get(URL, {**two.query, **choice})
    client.post(URL, {**two.data, "copy_identities": "on", **choice})

    assert f'value="{sid}"' not in comparison.content.decode()
    assert "Can’t be copied: they use different channels." in text(comparison)
    assert "1 chosen flow can’t be copied Support: They use different channels." in text(page)
    assert "Bookings" in planned(Plan.objects.get())
    assert "Support" not in planned(Plan.objects.get())


def test_new_flows_can_be_on(client_of, two):
    data = {key: value for key, value in two.data.items() if key != "turned_off"}

    client_of("operator").post(URL, data)

    assert planned(Plan.objects.get())["Bookings"][1]["enabled"] is True


def test_all_flows_that_differ_can_be_chosen(client_of, two):
    query = {"left": ACCOUNT, "right": two.target, "every": "1"}
    client = client_of("operator")

    page = client.get(URL, query)
    client.post(URL, {**two.data, "flow": [], "every": "1"})

    assert len(page.context["selection"].copies) == 2
    assert len(planned(Plan.objects.get())) == 2


def test_many_sids_are_asked_for_page_by_page(client_of, two):
    studio_sids = [f"FW{number:032x}" for number in range(views.MAX_SIDS)]
    for number, sid in enumerate(studio_sids):
        fields = {**BASE, "integration_flow_sid": sid, "enabled": False}
        two.production.add_flow(**fields, friendly_name=f"Flow {number:02}")
    sync_account(ACCOUNT)
    client = client_of("operator")
    query = {"left": ACCOUNT, "right": two.target, "every": "1"}
    answers = {f"sid_{sid}": sid.replace("FW0", "FWe") for sid in [*studio_sids, STUDIO]}
    answers |= {f"sid_{STUDIO}": STAGING_STUDIO, f"sid_{SERVICE}": STAGING_SERVICE}

    first = client.post(URL, {**query, **answers})
    drafts = Plan.objects.count()
    second = client.post(URL, {**query, **answers, "turned_off": "on"})

    assert first.status_code == 200
    assert "Saved. 2 SIDs are left." in text(first)
    assert [row["use"].stored for row in first.context["new_sids"]] == ["", ""]
    assert drafts == 0
    assert second.status_code == 302
    requested = [values for _, values, _ in planned(Plan.objects.get()).values()]
    assert len(requested) == views.MAX_SIDS + 2
    assert len(mappings.load_map(Direction(ACCOUNT, two.target))) == views.MAX_SIDS + 2


class TestConfirmation:
    """The box is never ticked for proposals that come after the user ticked it."""

    def test_on_the_next_page(self, client_of, two, monkeypatch):
        monkeypatch.setattr(views, "MAX_SIDS", 1)
        name_object(ACCOUNT, STUDIO, "Support IVR")
        name_object(two.target, STAGING_STUDIO, "Support IVR")

        page = client_of("operator").post(URL, {**two.data, "confirmed": "on"})

        assert mappings.load_map(Direction(ACCOUNT, two.target)) == {SERVICE: STAGING_SERVICE}
        assert [row["use"].proposed for row in page.context["new_sids"]] == [STAGING_STUDIO]
        assert not page.context["form"]["confirmed"].value()

    def test_after_a_mapping_is_removed(self, client_of, two, actor):
        direction = Direction(ACCOUNT, two.target)
        mappings.change_map(direction, {STUDIO: STAGING_STUDIO}, actor)
        name_object(ACCOUNT, STUDIO, "Support IVR")
        name_object(two.target, STAGING_STUDIO, "Support IVR")

        page = client_of("operator").post(URL, {**two.data, "confirmed": "on", "remove": STUDIO})

        assert page.context["form"].confirmation is not None
        assert not page.context["form"]["confirmed"].value()


def test_form_of_the_largest_selection_has_inputs_within_the_limit(client_of, two):
    """A form has at most 200 inputs: each SID has two, the choice and what is typed."""
    other_inputs = 20
    assert 2 * views.MAX_SIDS + forms.MAX_URLS + other_inputs <= 200
    page = client_of("operator").get(URL, two.query).content.decode()
    assert page.count('name="flow"') == 1


class TestPermissions:
    """Viewers of the source and operators of the target can copy."""

    def test_no_permission_in_the_target(self, client_of, two):
        page = client_of("operator", "omar", ACCOUNT).get(URL, two.query, follow=True)

        assert "No such account" in text(page)

    def test_viewer_of_the_target_is_refused_on_record(self, client_of, two):
        client = client_of("operator", "omar", ACCOUNT)
        user = User.objects.get(username="omar")
        AccountRole.objects.create(
            person=user, account_sid=two.target, role=Group.objects.get(name="viewer")
        )

        statuses = [client.get(URL, two.query).status_code, client.post(URL, two.data).status_code]

        assert statuses == [403, 403]
        refusal = AuditEvent.objects.get(result="denied")
        assert (refusal.action, refusal.account_sid) == ("plan.start", two.target)
        assert not SidMapping.objects.exists()
        page = client.get("/flows/history/compare/", {"compare": "accounts", **two.query})
        assert 'name="flow"' not in page.content.decode()

    def test_viewer_of_the_source_can_copy(self, client_of, two):
        client = client_of("operator", "omar", two.target)
        user = User.objects.get(username="omar")
        hidden = client.get(URL, two.query, follow=True)
        AccountRole.objects.create(
            person=user, account_sid=ACCOUNT, role=Group.objects.get(name="viewer")
        )

        assert "No such account" in text(hidden)
        assert client.post(URL, two.data).status_code == 302
        assert (
            client.get(URL, {**two.query, "left": two.target, "right": ACCOUNT}).status_code == 403
        )

    def test_viewer_of_the_target_never_learns_the_source_account(self, client_of, two):
        client_of("operator").post(URL, two.data)
        viewer = client_of("viewer", "vera", two.target)
        event = AuditEvent.objects.filter(action="sid_map.change").latest("seq")
        details = reverse("audit:detail", args=[event.event_id])
        addresses = [
            "/flows/plans/",
            f"/flows/plans/{Plan.objects.get().pk}/",
            "/audit/?action=sid_map.change",
            details,
        ]

        pages = [viewer.get(address) for address in addresses]

        for page in pages:
            assert page.status_code == 200
            assert ACCOUNT not in page.content.decode()
            assert "production" not in text(page)
        assert STUDIO in text(pages[-1])
        assert STAGING_STUDIO in text(pages[-1])


def test_read_only_target_says_so_and_takes_nothing(client_of, two, actor):
    restrictions.set_read_only(account_sid=two.target, reason="audit week", actor=actor)
    client = client_of("operator")

    comparison = client.get("/flows/history/compare/", {"compare": "accounts", **two.query})
    page, refused = client.get(URL, two.query), client.post(URL, two.data)

    assert "Flows can’t be copied to staging: This account was made read-only" in text(comparison)
    assert "You can’t copy these flows now." in text(page)
    assert refused.status_code == 403
    assert not Plan.objects.exists()
    assert not SidMapping.objects.exists()


def test_comparison_offers_boxes_and_the_other_direction(client_of, two):
    query = {"compare": "accounts", **two.query}

    page = client_of("operator").get("/flows/history/compare/", query).content.decode()

    assert page.count('name="flow"') == 2
    assert "Copy to staging…" in page
    assert f"left={two.target}&amp;right={ACCOUNT}" in page


def test_mapping_is_removed_on_the_page_and_the_rest_of_the_input_stays(client_of, two, actor):
    direction = Direction(ACCOUNT, two.target)
    mappings.change_map(direction, {STUDIO: STAGING_STUDIO, "FW" + "7" * 32: STUDIO}, actor)
    client = client_of("operator")

    page = client.post(URL, {**two.data, "remove": STUDIO})
    other = client.post(URL, {**two.data, "flow": [], "remove": "FW" + "7" * 32})

    assert page.status_code == 200
    assert page.context["form"][f"sid_{STUDIO}"].value() == ""
    assert page.context["form"][f"sid_{SERVICE}"].value() == STAGING_SERVICE
    assert other.status_code == 200
    assert mappings.load_map(direction) == {}


def test_nothing_happens_without_a_record(client_of, two):
    client = client_of("operator")
    with mock.patch.object(audit_log, "_write_event", side_effect=audit_log.Error):
        page = client.post(URL, two.data)

    assert page.status_code == 503
    assert page.context["form"][f"sid_{STUDIO}"].value() == STAGING_STUDIO
    assert not Plan.objects.exists()
    assert not SidMapping.objects.exists()


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"right": ACCOUNT}, "Both sides are the same account"),
        ({"right": ""}, "Choose both accounts"),
        ({"right": "AC1"}, "No such account: AC1"),
        ({"flow": "FO1"}, "A chosen flow has no valid SID"),
        ({"at": "yesterday"}, "Not a date and time"),
        ({"every": "2"}, "No such value"),
    ],
)
def test_invalid_choices_lead_back_to_the_comparison(client_of, two, parameters, words):
    page = client_of("operator").get(URL, {**two.query, **parameters}, follow=True)

    assert page.redirect_chain
    assert words in text(page)


def test_hostile_names_are_escaped_and_copied(client_of, two):
    name = "<img src=x onerror=alert(1)> \u202egnp"
    sid = two.production.add_flow(**BASE, friendly_name=name, contact_identity="<b>+1</b>")
    name_object(ACCOUNT, STUDIO, "<script>1</script>")
    sync_account(ACCOUNT)

    page = client_of("operator").get(URL, {**two.query, "flow": sid}).content.decode()
    client_of("operator").post(URL, {**two.data, "flow": sid})

    assert "<img src=x" not in page
    assert "<script>1" not in page
    assert "⟨U+202E⟩" in page
    assert list(planned(Plan.objects.get())) == [name]


def test_flow_that_is_unknown_then_is_refused(client_of, two):
    unknown = "FO" + "0" * 32

    page = client_of("operator").get(URL, {**two.query, "flow": unknown})

    assert "Not in the audit log at that time." in text(page)
    assert "No flows chosen" in text(page)


def test_values_of_other_kinds_are_neither_mapped_nor_copied(client_of, two):
    """Twilio may send a list where a SID belongs."""
    sid = two.production.add_flow(**BASE, friendly_name="Odd", contact_identity="+33199000109")
    two.staging.add_flow(**BASE, friendly_name="Odd", contact_identity="+33199000109")
    two.production.edit_flow(sid, chat_service_sid=["IS1"], integration={"flow_sid": {"a": 1}})
    sync_both(two.staging)
    client = client_of("operator")

    assert compare(client, two.staging)["Odd"][0] == "different"
    assert client.get(URL, {**two.query, "flow": sid}).status_code == 200
    assert client.post(URL, {**two.data, "flow": sid}).status_code == 302
    assert all(reason for _, _, reason in planned(Plan.objects.get()).values())


def test_exports_of_the_comparison_take_the_map_into_account(client_of, two, actor):
    mapped = {STUDIO: STAGING_STUDIO, SERVICE: STAGING_SERVICE}
    mappings.change_map(Direction(ACCOUNT, two.target), mapped, actor)
    query = {"compare": "accounts", "left": ACCOUNT, "right": two.target, "format": "csv"}

    file = client_of("viewer").post("/flows/history/compare/export/", query).content.decode()

    assert "integration_retry_count" in file
    assert f"{STUDIO},{STAGING_STUDIO}" not in file


def test_outdated_map_of_the_other_direction_hides_no_difference(client_of, two, actor):
    direction, outdated = Direction(ACCOUNT, two.target), "FW" + "d" * 32
    mapped = {STUDIO: STAGING_STUDIO, SERVICE: STAGING_SERVICE}
    mappings.change_map(direction.reverse, {outdated: STUDIO}, actor)
    mappings.change_map(direction, mapped, actor)
    two.staging.edit_flow(two.counterpart, integration={"flow_sid": outdated, "retry_count": 3})
    sync_both(two.staging)

    _, different_names = compare(client_of("viewer"), two.staging)["Returns"]

    assert "integration_flow_sid" in different_names


def test_two_flows_of_two_accounts_are_compared_by_the_map(client_of, two, actor):
    mapped = {STUDIO: STAGING_STUDIO, SERVICE: STAGING_SERVICE}
    mappings.change_map(Direction(ACCOUNT, two.target), mapped, actor)
    query = {"compare": "flows", "left": two.counterpart, "right": two.sids[1]}

    page = client_of("viewer").get("/flows/history/compare/", query)

    (row,) = page.context["rows"]
    assert row.pair.different_names == ("contact_identity", "integration_retry_count")


def test_existing_flow_is_neither_turned_on_nor_off(client_of, two):
    two.staging.edit_flow(two.counterpart, enabled=False)
    sync_both(two.staging)
    client = client_of("operator")

    client.post(URL, {**two.data, "flow": two.sids[1]})

    _, requested, _ = planned(Plan.objects.get())["Returns"]
    assert requested == {"integration_retry_count": 3}
