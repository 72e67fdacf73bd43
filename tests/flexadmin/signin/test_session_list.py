"""The list of a user's sessions, and signing out of one of them."""

from datetime import timedelta
from unittest import mock

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client
from django.utils import timezone

from flows.audit import audit_log
from flows.audit.models import AuditEvent
from tests.flexadmin.signing_in import is_signed_in, recorded_events, sign_in
from tests.markup import squeezed

pytestmark = pytest.mark.django_db

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def clients(person):
    """Two sessions of one user: their own, and another one from elsewhere."""
    person()
    own_client = Client(headers={"User-Agent": CHROME})
    other_client = Client(headers={"User-Agent": FIREFOX})
    sign_in(own_client)
    sign_in(other_client, REMOTE_ADDR="192.0.2.7")
    return own_client, other_client


def find_session(**fields):
    return UserSession.objects.get(**fields)


def test_sessions_have_a_browser_a_system_and_an_age(clients):
    own_client, other_client = clients
    later = timezone.now().timestamp() + 120
    with mock.patch("time.time", return_value=later):
        other_client.get("/flows/")
    with mock.patch(
        "django.utils.timezone.now", return_value=timezone.now() + timedelta(minutes=4)
    ):
        page = own_client.get("/people/me/")

    first, second = page.context["sessions"]
    assert (first.device, first.is_current) == ("Chrome on Linux", True)
    assert (second.device, second.is_current) == ("Firefox on Windows", False)
    assert (second.ip, int(second.last_seen_at.timestamp())) == ("192.0.2.7", int(later))
    html = squeezed(page.content.decode())
    assert "Firefox on Windows" in html
    assert "Active 2 min ago<" in html or "Active 1 min ago<" in html


def test_user_ends_one_session_on_record(clients):
    own_client, other_client = clients
    session = find_session(ip="192.0.2.7")

    answer = own_client.post(f"/people/me/sessions/{session.pk}/end/")

    assert answer["Location"] == "/people/me/"
    assert is_signed_in(own_client)
    assert not is_signed_in(other_client)
    assert recorded_events("auth.session") == [
        ("auth.session_end", "succeeded", "operator", "operator")
    ]
    details = AuditEvent.objects.latest("seq").payload.after
    assert details == {"browser": "Firefox on Windows", "address": "192.0.2.7"}


def test_session_of_another_user_and_the_current_one_stay(clients, client_of):
    own_client, other_client = clients
    current = find_session(ip="127.0.0.1")
    other = find_session(ip="192.0.2.7")

    assert own_client.post(f"/people/me/sessions/{current.pk}/end/").status_code == 404
    assert client_of("admin").post(f"/people/me/sessions/{other.pk}/end/").status_code == 404
    assert is_signed_in(own_client)
    assert is_signed_in(other_client)


def test_session_stays_if_its_end_cannot_be_recorded(clients, monkeypatch):
    def refuse(_log, **_event):
        raise audit_log.NotRecorded("full")

    own_client, other_client = clients
    monkeypatch.setattr(audit_log.LogTransaction, "append", refuse)

    session = find_session(ip="192.0.2.7")
    assert own_client.post(f"/people/me/sessions/{session.pk}/end/").status_code == 503
    assert is_signed_in(other_client)
