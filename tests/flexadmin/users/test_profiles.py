"""A user's profile: display name, e-mail, time zone and theme, and where others see them."""

import re
import zoneinfo
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from flexadmin.models import Profile
from flows.audit import audit_log
from flows.audit.audit_log import Actor
from flows.audit.models import AuditEvent
from flows.core.time_zones import time_zone_choices
from tests.flexadmin.signing_in import recorded_events, sign_in
from tests.markup import squeezed

pytestmark = pytest.mark.django_db

EMPTY = {"display_name": "", "email": "", "time_zone": "", "theme": "system"}
OMAR = {
    "display_name": "Omar Khan",
    "email": "omar@example.com",
    "time_zone": "Europe/Berlin",
    "theme": "dark",
}


def save(client, **values):
    return client.post("/people/me/profile/", {**EMPTY, **values})


def values_of_last_event():
    payload = AuditEvent.objects.latest("seq").payload
    return payload.before, payload.after


def test_profile_is_saved_and_shown_again(client_of):
    client = client_of("operator")

    answer = save(client, **OMAR)

    assert answer["Location"] == "/people/me/"
    form = client.get("/people/me/").context["form"]
    assert {name: form[name].value() for name in OMAR} == OMAR


def test_change_that_others_see_is_recorded_without_the_address(client_of):
    client = client_of("operator")

    save(client, **OMAR)
    assert recorded_events("auth.profile") == [
        ("auth.profile", "succeeded", "operator", "operator")
    ]
    assert values_of_last_event() == (
        {"display name": "none", "e-mail": "none"},
        {"display name": "Omar Khan", "e-mail": "given"},
    )

    save(client, **OMAR | {"email": "o.khan@example.com"})
    assert values_of_last_event()[1] == {"display name": "Omar Khan", "e-mail": "another address"}


def test_own_preferences_are_not_recorded(client_of):
    client = client_of("viewer")

    save(client, time_zone="Asia/Tokyo", theme="light")

    assert Profile.objects.get().time_zone == "Asia/Tokyo"
    assert recorded_events("auth.profile") == []


def test_profile_that_cannot_be_recorded_is_not_saved(client_of, monkeypatch):
    def refuse(_log, **_event):
        raise audit_log.NotRecorded("full")

    client = client_of("operator")
    monkeypatch.setattr(audit_log.LogTransaction, "append", refuse)

    answer = save(client, **OMAR)

    assert answer.status_code == 503
    assert 'value="Omar Khan"' in answer.content.decode(), "the input stays in the form"
    assert not Profile.objects.exists()
    assert User.objects.get(username="operator").email == ""


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("email", "omar", "Enter a valid email address."),
        ("time_zone", "Moon/Tycho", "Moon/Tycho is not one of the available choices."),
        ("theme", "pink", "pink is not one of the available choices."),
        ("display_name", "x" * 61, "at most 60 characters"),
    ],
)
def test_invalid_value_is_refused_with_a_sentence(client_of, field, value, sentence):
    answer = save(client_of("operator"), **{field: value})

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Profile.objects.exists()


def test_display_name_stands_beside_the_username_in_the_log(client_of):
    client = client_of("operator")
    save(client, display_name="Omar <b>Khan")

    html = client.get("/audit/?action=auth.profile").content.decode()

    name = '<bdi>operator</bdi> <span class="display-name">(<bdi>Omar &lt;b&gt;Khan</bdi>)</span>'
    assert name in html
    assert AuditEvent.objects.latest("seq").actor_label == "operator"


def test_events_of_an_earlier_user_of_the_name_have_no_display_name(client_of):
    client = client_of("operator")
    save(client, display_name="Omar Khan")
    earlier = Actor(id="4711", label="operator", role="operator")
    audit_log.append(
        action="flow.export", stage="access", result="succeeded", actor=earlier, account_sid=""
    )

    html = squeezed(client.get("/audit/?action=flow.export").content.decode())

    assert "<bdi>operator</bdi>" in html
    assert "Omar Khan" not in html


def test_administrators_see_name_and_address(client_of):
    save(client_of("operator"), **OMAR)
    admin, person_id = client_of("admin"), User.objects.get(username="operator").pk

    assert "Omar Khan" in admin.get("/people/").content.decode()
    page = admin.get(f"/people/{person_id}/").content.decode()
    assert "Omar Khan" in page
    assert "omar@example.com" in page


@pytest.mark.parametrize(
    ("theme", "start", "schemes"),
    [
        ("system", '<html lang="en">', "light dark"),
        ("light", '<html lang="en" data-theme="light">', "light"),
        ("dark", '<html lang="en" data-theme="dark">', "dark"),
    ],
)
def test_theme_is_in_the_page_from_the_server(client_of, theme, start, schemes):
    client = client_of("viewer")
    save(client, theme=theme)

    html = client.get("/people/me/").content.decode()

    assert start in html
    assert f'<meta name="color-scheme" content="{schemes}">' in html


def test_times_are_in_the_users_zone_and_no_other_users(client_of, person, settings):
    client, other = client_of("viewer"), client_of("operator")
    save(client, time_zone="Asia/Tokyo")
    at = datetime(2026, 11, 20, 22, 30, tzinfo=UTC)
    User.objects.update(last_login=at)

    def last_sign_in(browser):
        browser_user = User.objects.get(username="viewer").pk
        page = browser.get(f"/people/{browser_user}/").content.decode()
        return re.search(r"Last sign-in: <time [^>]*>([^<]*)", page)[1]

    admin = client_of("admin")
    save(admin, time_zone="Asia/Tokyo")
    assert last_sign_in(admin) == "21 Nov 2026, 07:30 JST"
    other.get("/flows/")
    assert timezone.get_current_timezone_name() == "UTC"
    save(admin, time_zone="")
    assert last_sign_in(admin) == "20 Nov 2026, 22:30 UTC"
    settings.TIME_ZONE = "America/New_York"
    assert last_sign_in(admin) == "20 Nov 2026, 17:30 EST"


def test_abolished_zone_becomes_the_sites(client_of):
    client = client_of("viewer")
    Profile.objects.create(person=User.objects.get(username="viewer"), time_zone="US/Nowhere")

    assert client.get("/audit/").context["query"].zone.key == "UTC"


def test_profile_takes_no_query_of_its_own(client_of, django_assert_num_queries):
    client = client_of("viewer")
    save(client, **EMPTY | {"theme": "dark"})
    user = User.objects.get(username="viewer")

    with django_assert_num_queries(1):
        from flexadmin.users.roles import get_site_user

        assert get_site_user(user.pk).own_profile.theme == "dark"
    with django_assert_num_queries(1):
        Profile.objects.all().delete()
    with django_assert_num_queries(1):
        assert get_site_user(user.pk).own_profile.theme == "system"


def test_user_who_must_set_up_a_second_factor_first_sees_no_profile(person, settings):
    person("operator")
    settings.SECOND_FACTOR_REQUIRED = True
    client = Client()
    sign_in(client)

    assert 'name="display_name"' not in client.get("/people/me/").content.decode()
    assert save(client, **OMAR)["Location"] == "/people/me/"
    assert not Profile.objects.exists()


def test_time_zones_are_offered_on_a_machine_without_zone_data():
    """The package tzdata has them. Whoever left it out would only notice on such a machine."""
    zoneinfo.reset_tzpath(to=())
    try:
        choices = dict(time_zone_choices.__wrapped__())
        berlin = zoneinfo.ZoneInfo.no_cache("Europe/Berlin")
    finally:
        zoneinfo.reset_tzpath()

    assert ("Europe/Berlin", "Berlin") in choices["Europe"]
    assert berlin.key == "Europe/Berlin"
