"""Single sign-on with a real provider on this machine."""

from importlib import import_module

import environ
import pytest
from allauth.socialaccount.internal.statekit import STATES_SESSION_KEY
from allauth.socialaccount.models import SocialAccount
from django.apps import apps
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from flexadmin.signin.auth_events import ANONYMOUS_LABEL
from flexadmin.signin.oidc_settings import read_oidc_settings
from flexadmin.users import services
from flows.audit import audit_log
from flows.audit.models import AuditEvent
from tests.flexadmin.signing_in import is_signed_in, recorded_events, sign_in, totp_code

pytestmark = pytest.mark.django_db


def sign_in_by_sso(client, provider, path="/login/sso/oidc/"):
    """Go to the provider and come back; return the response to the callback."""
    start = client.get(path)
    assert start.status_code == 302, start.content.decode()
    assert start["Location"].startswith(f"{provider.url}/authorize")
    return client.get(provider.authorize(start["Location"]))


def test_sign_in_page_offers_the_provider(client, provider):
    page = client.get("/login/?next=/audit/").content.decode()

    assert "Sign in with Example ID" in page
    assert 'href="/login/sso/oidc/?next=%2Faudit%2F"' in page


def test_sign_in_page_offers_nothing_without_a_provider(client):
    assert "Sign in with" not in client.get("/login/").content.decode()
    assert client.get("/login/sso/oidc/").status_code == 404


def test_new_user_signs_in_without_a_role(client, provider):
    response = sign_in_by_sso(client, provider)

    nina = User.objects.get()
    assert (response.status_code, nina.username, nina.has_usable_password()) == (302, "nina", False)
    assert is_signed_in(client)
    refused = client.get("/flows/")
    assert refused.status_code == 403
    assert "You have no role yet" in refused.content.decode()
    assert recorded_events("people.") == [
        ("people.create", "succeeded", "single sign-on: Example ID", "nina")
    ]
    assert recorded_events("auth.") == [("auth.login", "succeeded", "nina", "nina")]


def test_same_subject_is_the_same_user_under_a_new_name(client, provider):
    sign_in_by_sso(client, provider)
    provider.claims = {"sub": "7f3a", "preferred_username": "nina.married"}

    sign_in_by_sso(Client(), provider)

    assert User.objects.get().username == "nina"


def test_same_subject_at_another_provider_is_another_user(client, provider):
    sign_in_by_sso(client, provider)
    provider.issuer = "https://other.example.com"

    sign_in_by_sso(Client(), provider)

    assert User.objects.count() == 2
    assert sorted(SocialAccount.objects.values_list("uid", flat=True)) == sorted(
        [f"{provider.url} 7f3a", "https://other.example.com 7f3a"]
    )


def test_migration_adds_the_issuer_to_old_identities(client, provider):
    sign_in_by_sso(client, provider)
    SocialAccount.objects.update(uid="7f3a")
    migration = import_module("flexadmin.migrations.0003_ties_name_their_provider")

    migration.name_the_provider(apps, None)
    migration.name_the_provider(apps, None)  # idempotent
    sign_in_by_sso(Client(), provider)

    assert User.objects.count() == 1


def test_administrator_sees_and_removes_an_sso_identity(client_of, client, provider):
    admin = client_of("admin")
    sign_in_by_sso(client, provider)
    nina = User.objects.get(username="nina")
    assert f"{provider.url} 7f3a" in admin.get(f"/people/{nina.pk}/").content.decode()

    admin.post(f"/people/{nina.pk}/single-sign-on/", {"reason": "Left the company"})

    assert not is_signed_in(client)
    assert recorded_events("people.")[-1] == ("people.sso_remove", "succeeded", "admin", "nina")
    event = AuditEvent.objects.latest("seq")
    states = (event.payload.before["single sign-on"], event.payload.after["single sign-on"])
    assert states == (f"{provider.url} 7f3a", "none")
    assert (
        "Removed a user&#x27;s single sign-on"
        in admin.get(f"/audit/{event.event_id}/").content.decode()
    )
    sign_in_by_sso(Client(), provider)
    assert User.objects.count() == 3  # the admin, nina and a new user
    assert "Single sign-on" not in admin.get(f"/people/{nina.pk}/").content.decode()


def test_sso_identity_of_the_last_admin_cannot_be_removed(client_of, client, provider):
    admin, own_user = client_of("admin"), User.objects.get(username="admin")
    sign_in_by_sso(client, provider)
    SocialAccount.objects.update(user=own_user)
    own_user.set_unusable_password()
    own_user.save()
    admin.force_login(own_user)

    refused = admin.post(f"/people/{own_user.pk}/single-sign-on/", {"reason": "x"})

    assert refused.status_code == 409
    assert SocialAccount.objects.exists()


@pytest.mark.parametrize("change", ["no single sign-on", "another provider"])
def test_admin_who_cannot_sign_in_does_not_count_as_admin(
    client_of, client, provider, person, settings, change
):
    admin, own_user = client_of("admin"), User.objects.get(username="admin")
    sign_in_by_sso(client, provider)
    nina = User.objects.get(username="nina")
    actor = audit_log.Actor(id="1", label="x")
    services.set_roles(person=nina, role="admin", on_accounts={}, actor=actor, reason="")
    app = provider.settings()["openid_connect"]["APPS"][0]
    others = [{**app, "settings": {"server_url": "https://other.example.com"}}]
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {"APPS": others if change == "another provider" else []}
    }

    refused = admin.post(f"/people/{own_user.pk}/role/", {"role": "viewer", "reason": "x"})
    settings.SOCIALACCOUNT_PROVIDERS = provider.settings()
    accepted = admin.post(f"/people/{own_user.pk}/role/", {"role": "viewer", "reason": "x"})

    assert (refused.status_code, accepted.status_code) == (409, 302)


@pytest.mark.parametrize("verified", [True, False])
def test_name_and_email_do_not_match_an_existing_user(client, provider, person, verified):
    ada = person("admin", "ada")
    User.objects.filter(pk=ada.pk).update(email="ada@example.com")
    provider.claims = {
        "sub": "evil", "preferred_username": "ada",
        "email": "ada@example.com", "email_verified": verified,
    }  # fmt: skip

    sign_in_by_sso(client, provider)

    assert client.get("/people/").status_code == 403
    assert User.objects.count() == 2
    assert User.objects.exclude(pk=ada.pk).get().email == ""


def test_sign_in_redirects_to_the_requested_page(client, provider):
    assert (
        sign_in_by_sso(client, provider, "/login/sso/oidc/?next=/audit/")["Location"] == "/audit/"
    )


def test_sso_user_with_a_second_factor_needs_it(client, provider):
    sign_in_by_sso(client, provider)
    secret = client.get("/people/me/app/add/").context["form"].secret
    client.post("/people/me/app/add/", {"code": totp_code(secret)})
    other = Client()

    assert sign_in_by_sso(other, provider)["Location"] == "/login/second-factor/"
    assert not is_signed_in(other)


def test_signed_in_user_is_redirected_to_the_overview(client, provider, person):
    person("admin", "ada")
    sign_in(client, "ada")

    start = client.get("/login/sso/oidc/")
    callback = client.get("/login/sso/oidc/callback/?code=x&state=y")

    assert start["Location"] == callback["Location"] == "/"
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize("process", ["connect", "redirect", ""])
def test_identity_is_not_connected_to_a_signed_in_user(client, provider, person, process):
    person("admin", "ada")
    sign_in(client, "ada")

    response = client.get(f"/login/sso/oidc/?process={process}&next=/flows/")

    assert response["Location"] == "/login/"
    assert recorded_events()[-1] == ("auth.login", "denied", "ada", "")
    assert AuditEvent.objects.latest("seq").payload.message == "single sign-on: unsupported request"
    page = client.get(response["Location"], follow=True)
    assert (page.redirect_chain[-1][0], "Nothing was changed" in page.content.decode()) == (
        "/",
        True,
    )


@pytest.mark.parametrize("process", ["connect", "redirect"])
def test_callback_accepts_sign_ins_only(client, provider, process):
    start = client.get("/login/sso/oidc/")["Location"]
    session = client.session
    for state in session[STATES_SESSION_KEY].values():
        state[0]["process"] = process
    session.save()

    response = client.get(provider.authorize(start))

    assert response["Location"] == "/login/"
    assert recorded_events() == [("auth.login", "denied", ANONYMOUS_LABEL, "")]
    assert not User.objects.exists()


@pytest.mark.parametrize("fault", ["refused", "audience"])
def test_response_for_another_site_is_refused(client, provider, fault):
    provider.fault = fault

    response = sign_in_by_sso(client, provider)

    assert response["Location"] == "/login/"
    assert "Couldn&#x27;t sign you in with Example ID" in client.get("/login/").content.decode()
    assert not User.objects.exists()
    assert [event[:2] for event in recorded_events()] == [("auth.login", "denied")]


def test_callback_of_another_visitor_is_refused(client, provider):
    start = client.get("/login/sso/oidc/")["Location"]

    Client().get(provider.authorize(start))

    assert not User.objects.exists()


def test_unreachable_provider_leads_to_the_sign_in_page(client, provider, settings):
    app = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]
    app["settings"] = {**app["settings"], "server_url": "http://127.0.0.1:9"}

    response = client.get("/login/sso/oidc/")

    assert response["Location"] == "/login/"


def test_deactivated_user_cannot_sign_in(client, provider):
    sign_in_by_sso(client, provider)
    User.objects.update(is_active=False)
    other = Client()

    response = sign_in_by_sso(other, provider)

    assert response["Location"] == "/login/"
    assert not is_signed_in(other)
    assert recorded_events()[-1][:2] == ("auth.login", "denied")


def refuse_event(_log, **_event):
    raise audit_log.NotRecorded("full")


def test_sign_in_fails_if_it_cannot_be_recorded(client, provider, monkeypatch):
    sign_in_by_sso(client, provider)
    monkeypatch.setattr(audit_log.LogTransaction, "append", refuse_event)
    other = Client()

    assert sign_in_by_sso(other, provider).status_code == 503
    assert not is_signed_in(other)


def test_user_is_not_created_if_it_cannot_be_recorded(client, provider, monkeypatch):
    monkeypatch.setattr(audit_log.LogTransaction, "append", refuse_event)

    response = sign_in_by_sso(client, provider)

    assert response.status_code == 503
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("values", "hint"),
    [
        ({"OIDC_SERVER_URL": "https://id.example.com"}, "go together"),
        ({"OIDC_CLIENT_SECRET": "x"}, "go together"),
        ({"OIDC_SERVER_URL": "http://id.example.com", "OIDC_CLIENT_ID": "x"}, "https://"),
        ({"OIDC_SERVER_URL": "id.example.com", "OIDC_CLIENT_ID": "x"}, "not a web address"),
    ],
)
def test_incomplete_settings_are_refused_at_startup(monkeypatch, values, hint):
    for name, value in values.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(ImproperlyConfigured, match=hint):
        read_oidc_settings(environ.Env())
