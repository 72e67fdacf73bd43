"""A row of the list that was shown before is never shown again with what it was then.

The HTML of rows is remembered from request to request. Each test shows the row first.
"""

import html
import uuid
from datetime import timedelta
from unittest import mock

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from flexadmin.models import Profile
from flows.audit.models import OpenDrift
from flows.availability import restrictions
from flows.flex_flows.models import ListPreferences
from flows.mirror.models import Flow, MissingFlow, SyncState
from flows.mirror.sync import sync_account
from flows.names.models import ResourceName
from tests import ACCOUNT
from tests.faults.acting import append_stage, delete_flow, rename_flow, switch_flow
from tests.flows.local_details.changing import set_details
from tests.flows.names.adding import add_name

pytestmark = pytest.mark.django_db(transaction=True)
STUDIO_FLOW_SID = "FW" + "1" * 32  # that of `flow_sid`
EDIT_LINK = ">Edit</a>"


def text_of(client, **query):
    return html.unescape(client.get("/flows/", query).content.decode())


@pytest.fixture
def operator(client_of, flow_sid):
    """An operator who has seen the row."""
    client = client_of("operator")
    assert "Réclamations Lyon" in text_of(client)
    return client


def remove_target_name():
    ResourceName.objects.filter(sid=STUDIO_FLOW_SID).update(gone_at=timezone.now())


def make_draft():
    ResourceName.objects.filter(sid=STUDIO_FLOW_SID).update(status="draft", revision=1)


@pytest.mark.parametrize(
    ("change", "shown", "shown_before"),
    [
        (rename_flow, ">Plaintes Lyon</a>", ">Réclamations Lyon</a>"),
        (switch_flow, ">Turn on</a>", ">Turn off</a>"),
        (delete_flow, "No matches", ">Réclamations Lyon</a>"),
        (lambda sid: set_details(sid, owner="Support team"), ">Support team</td>", None),
        (lambda _: add_name(STUDIO_FLOW_SID, "IVR"), ">IVR</a>", ">Studio Flow FW1111…1111</a>"),
    ],
    ids=["name", "state", "deletion", "owner", "name of the target"],
)
def test_row_shows_a_change_at_once(operator, flow_sid, change, shown, shown_before):
    assert shown_before is None or shown_before in text_of(operator)

    change(flow_sid)

    page = text_of(operator)
    assert shown in page
    assert shown_before is None or shown_before not in page


def test_read_only_account_has_no_actions(operator, actor):
    assert EDIT_LINK in text_of(operator)

    restrictions.set_read_only(account_sid=ACCOUNT, reason="Freeze", actor=actor)

    assert EDIT_LINK not in text_of(operator)


@pytest.mark.parametrize(
    ("change", "flag"),
    [(remove_target_name, "“Support IVR” was deleted"), (make_draft, "was never published")],
)
def test_row_warns_as_soon_as_a_target_changes(client_of, flow_sid, change, flag):
    add_name(STUDIO_FLOW_SID, "Support IVR")
    client = client_of("viewer")
    assert flag not in text_of(client)

    change()

    assert flag in text_of(client)


def test_name_of_a_target_can_change_more_than_once(operator):
    add_name(STUDIO_FLOW_SID, "Support IVR")
    for name in ("Order status", "Support IVR", "Holiday"):
        ResourceName.objects.update(name=name)

        assert f">{name}</a></td>" in text_of(operator)


def test_change_outside_the_dashboard_is_shown_after_the_sync(operator, sandbox, flow_sid):
    sandbox.edit_flow(flow_sid, contact_identity="+33199000999")
    sync_account(ACCOUNT)

    page = text_of(operator)

    assert ">+33199000999</td>" in page
    assert "External change" in page
    OpenDrift.objects.all().delete()
    assert "External change" not in text_of(operator).split("</thead>")[1]


def test_mark_of_a_missing_flow_comes_and_goes(operator, flow_sid):
    flag = "Missing from Twilio's list"
    SyncState.objects.update(missing=1)
    missing = MissingFlow.objects.create(
        sid=flow_sid, account_sid=ACCOUNT, since=timezone.now(), asked_at=None
    )

    assert flag in text_of(operator).split("</thead>")[1]
    missing.delete()
    assert flag not in text_of(operator).split("</thead>")[1]


@pytest.fixture
def attempt(operator, flow_sid, actor):
    """The attempt of a change of the flow."""
    return append_stage(
        action="flow.update",
        stage="attempt",
        result="pending",
        actor=actor,
        change_id=uuid.uuid4(),
        target_sid=flow_sid,
    )


def test_open_change_takes_the_place_of_the_actions(operator, attempt):
    page = text_of(operator)

    assert f'href="/audit/{attempt.event_id}/"' in page
    assert EDIT_LINK not in page


def test_open_change_is_no_longer_in_progress_after_a_time(operator, attempt):
    assert ">Change in progress</a>" in text_of(operator)

    with mock.patch("django.utils.timezone.now", return_value=attempt.at + timedelta(minutes=5)):
        assert ">Unknown outcome</a>" in text_of(operator)


def test_age_of_a_flow_grows(operator):
    now = timezone.now()
    Flow.objects.update(date_updated=now - timedelta(minutes=5))
    assert "5 min ago</td>" in text_of(operator)

    with mock.patch(
        "django.utils.timezone.now", return_value=now + timedelta(minutes=10, seconds=1)
    ):
        page = text_of(operator)

    assert "15 min ago</td>" in page
    assert "5 min ago</td>" not in page.replace("15 min", "")


def test_other_user_has_their_own_actions(operator, client_of):
    assert EDIT_LINK in text_of(operator)
    assert EDIT_LINK not in text_of(client_of("viewer"))
    assert EDIT_LINK in text_of(operator)


def test_user_who_loses_a_role_loses_the_actions(operator, django_user_model):
    user = django_user_model.objects.get(username="operator")
    user.groups.set([Group.objects.get(name="viewer")])

    assert EDIT_LINK not in text_of(operator)


def test_other_user_has_their_own_time_zone_and_columns(operator, client_of, django_user_model):
    Flow.objects.update(date_updated="2026-11-26T13:05:00Z")
    viewer = client_of("viewer")
    person = django_user_model.objects.get(username="viewer")
    assert "26 Nov 2026, 13:05 UTC</time>" in text_of(operator)

    Profile.objects.create(person=person, time_zone="Asia/Kathmandu")
    ListPreferences.objects.create(person=person, hidden_columns=["identity"])
    page = text_of(viewer)

    assert "26 Nov 2026, 18:50 UTC+5:45</time>" in page
    assert "+33199000123" not in page
    assert "26 Nov 2026, 13:05 UTC</time>" in text_of(operator)
    assert "+33199000123" in text_of(operator)


def test_marks_of_a_search_are_not_kept(operator):
    add_name(STUDIO_FLOW_SID, "Support IVR")

    assert "<mark>Lyon</mark>" in text_of(operator, q="lyon")
    assert "<mark>IVR</mark>" in text_of(operator, q="ivr")
    assert "<mark>" not in text_of(operator)
    assert "<mark>Ré</mark>" in text_of(operator, q="ré")
