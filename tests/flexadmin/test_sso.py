"""Single sign-on, against a provider of its own that speaks HTTP."""

from importlib import import_module

import environ
import pytest
from allauth.socialaccount.internal.statekit import STATES_SESSION_KEY
from allauth.socialaccount.models import SocialAccount
from django.apps import apps
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from flexadmin import persons
from flexadmin.access import NOBODY
from flexadmin.oidc import oidc_from
from flows.models import AuditEvent
from flows.services import audit
from tests.flexadmin.signing_in import code_of, is_in, recorded, sign_in

pytestmark = pytest.mark.django_db


def came_back(client, provider, path="/login/sso/oidc/"):
    """There and back again."""
    there = client.get(path)
    assert there.status_code == 302, there.content.decode()
    assert there["Location"].startswith(f"{provider.url}/authorize")
    return client.get(provider.authorized(there["Location"]))


def test_sign_in_page_offers_the_provider(client, provider):
    page = client.get("/login/?next=/audit/").content.decode()

    assert "Sign in with Example ID" in page
    assert 'href="/login/sso/oidc/?next=%2Faudit%2F"' in page


def test_nothing_is_offered_where_there_is_no_provider(client):
    assert "Sign in with" not in client.get("/login/").content.decode()
    assert client.get("/login/sso/oidc/").status_code == 404


def test_who_is_new_gets_in_without_a_role(client, provider):
    answer = came_back(client, provider)

    nina = User.objects.get()
    assert (answer.status_code, nina.username, nina.has_usable_password()) == (302, "nina", False)
    assert is_in(client)
    refused = client.get("/flows/")
    assert refused.status_code == 403
    assert "You have no role yet" in refused.content.decode()
    assert recorded("people.") == [("people.create", "succeeded", "single sign-on: Example ID", "nina")]
    assert recorded("auth.") == [("auth.login", "succeeded", "nina", "nina")]


def test_the_same_subject_is_the_same_person_whatever_they_are_called_now(client, provider):
    came_back(client, provider)
    provider.claims = {"sub": "7f3a", "preferred_username": "nina.married"}

    came_back(Client(), provider)

    assert User.objects.get().username == "nina"


def test_the_same_subject_of_another_provider_is_somebody_else(client, provider):
    came_back(client, provider)
    provider.issuer = "https://other.example.com"

    came_back(Client(), provider)

    assert User.objects.count() == 2
    assert sorted(SocialAccount.objects.values_list("uid", flat=True)) == sorted(
        [f"{provider.url} 7f3a", "https://other.example.com 7f3a"]
    )


def test_ties_of_before_name_their_provider_after_the_migration(client, provider):
    came_back(client, provider)
    SocialAccount.objects.update(uid="7f3a")
    migration = import_module("flexadmin.migrations.0003_ties_name_their_provider")

    migration.name_the_provider(apps, None)
    migration.name_the_provider(apps, None)  # once is enough
    came_back(Client(), provider)

    assert User.objects.count() == 1


def test_administrator_sees_a_persons_single_sign_on_and_removes_it(client_of, client, provider):
    admin = client_of("admin")
    came_back(client, provider)
    nina = User.objects.get(username="nina")
    assert f"{provider.url} 7f3a" in admin.get(f"/people/{nina.pk}/").content.decode()

    admin.post(f"/people/{nina.pk}/single-sign-on/", {"reason": "Left the company"})

    assert not is_in(client)
    assert recorded("people.")[-1] == ("people.sso_remove", "succeeded", "admin", "nina")
    event = AuditEvent.objects.latest("seq")
    states = (event.payload.before["single sign-on"], event.payload.after["single sign-on"])
    assert states == (f"{provider.url} 7f3a", "none")
    assert "Removed a user&#x27;s single sign-on" in admin.get(f"/audit/{event.event_id}/").content.decode()
    came_back(Client(), provider)
    assert User.objects.count() == 3  # the admin, nina, and somebody new
    assert "Single sign-on" not in admin.get(f"/people/{nina.pk}/").content.decode()


def test_single_sign_on_of_the_last_admin_stays(client_of, client, provider):
    admin, me = client_of("admin"), User.objects.get(username="admin")
    came_back(client, provider)
    SocialAccount.objects.update(user=me)
    me.set_unusable_password()
    me.save()
    admin.force_login(me)

    refused = admin.post(f"/people/{me.pk}/single-sign-on/", {"reason": "x"})

    assert refused.status_code == 409
    assert SocialAccount.objects.exists()


@pytest.mark.parametrize("change", ["no single sign-on", "another provider"])
def test_admin_who_cannot_get_in_does_not_count_as_one(client_of, client, provider, person, settings, change):
    admin, me = client_of("admin"), User.objects.get(username="admin")
    came_back(client, provider)
    nina = User.objects.get(username="nina")
    actor = audit.Actor(id="1", label="x")
    persons.set_roles(person=nina, role="admin", on_accounts={}, actor=actor, reason="")
    app = provider.settings()["openid_connect"]["APPS"][0]
    others = [{**app, "settings": {"server_url": "https://other.example.com"}}]
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {"APPS": others if change == "another provider" else []}
    }

    refused = admin.post(f"/people/{me.pk}/role/", {"role": "viewer", "reason": "x"})
    settings.SOCIALACCOUNT_PROVIDERS = provider.settings()
    done = admin.post(f"/people/{me.pk}/role/", {"role": "viewer", "reason": "x"})

    assert (refused.status_code, done.status_code) == (409, 302)


@pytest.mark.parametrize("verified", [True, False])
def test_nobody_becomes_somebody_else_by_name_or_email(client, provider, person, verified):
    ada = person("admin", "ada")
    User.objects.filter(pk=ada.pk).update(email="ada@example.com")
    provider.claims = {
        "sub": "evil", "preferred_username": "ada", "email": "ada@example.com", "email_verified": verified,
    }  # fmt: skip

    came_back(client, provider)

    assert client.get("/people/").status_code == 403
    assert User.objects.count() == 2
    assert User.objects.exclude(pk=ada.pk).get().email == ""


def test_sign_in_leads_to_the_page_that_was_asked_for(client, provider):
    assert came_back(client, provider, "/login/sso/oidc/?next=/audit/")["Location"] == "/audit/"


def test_second_factor_is_asked_for_here_too(client, provider):
    came_back(client, provider)
    secret = client.get("/people/me/app/add/").context["form"].secret
    client.post("/people/me/app/add/", {"code": code_of(secret)})
    other = Client()

    assert came_back(other, provider)["Location"] == "/login/second-factor/"
    assert not is_in(other)


def test_whoever_is_signed_in_is_led_to_the_list(client, provider, person):
    person("admin", "ada")
    sign_in(client, "ada")

    there = client.get("/login/sso/oidc/")
    back = client.get("/login/sso/oidc/callback/?code=x&state=y")

    assert there["Location"] == back["Location"] == "/flows/"
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize("process", ["connect", "redirect", ""])
def test_nobody_the_provider_knows_is_tied_to_who_is_signed_in(client, provider, person, process):
    person("admin", "ada")
    sign_in(client, "ada")

    answer = client.get(f"/login/sso/oidc/?process={process}&next=/flows/")

    assert answer["Location"] == "/login/"
    assert recorded()[-1] == ("auth.login", "denied", "ada", "")
    assert AuditEvent.objects.latest("seq").payload.message == "single sign-on: unsupported request"
    page = client.get(answer["Location"], follow=True)
    assert (page.redirect_chain[-1][0], "Nothing was changed" in page.content.decode()) == ("/flows/", True)


@pytest.mark.parametrize("process", ["connect", "redirect"])
def test_way_back_is_for_signing_in_alone(client, provider, process):
    there = client.get("/login/sso/oidc/")["Location"]
    session = client.session
    for kept in session[STATES_SESSION_KEY].values():
        kept[0]["process"] = process
    session.save()

    answer = client.get(provider.authorized(there))

    assert answer["Location"] == "/login/"
    assert recorded() == [("auth.login", "denied", NOBODY, "")]
    assert not User.objects.exists()


@pytest.mark.parametrize("fault", ["refused", "audience"])
def test_answer_that_is_not_for_this_site_lets_nobody_in(client, provider, fault):
    provider.fault = fault

    answer = came_back(client, provider)

    assert answer["Location"] == "/login/"
    assert "Couldn&#x27;t sign you in with Example ID" in client.get("/login/").content.decode()
    assert not User.objects.exists()
    assert [event[:2] for event in recorded()] == [("auth.login", "denied")]


def test_answer_that_nobody_asked_for_lets_nobody_in(client, provider):
    there = client.get("/login/sso/oidc/")["Location"]

    Client().get(provider.authorized(there))

    assert not User.objects.exists()


def test_provider_that_is_away_is_told(client, provider, settings):
    app = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]
    app["settings"] = {**app["settings"], "server_url": "http://127.0.0.1:9"}

    answer = client.get("/login/sso/oidc/")

    assert answer["Location"] == "/login/"


def test_deactivated_person_does_not_get_in(client, provider):
    came_back(client, provider)
    User.objects.update(is_active=False)
    other = Client()

    answer = came_back(other, provider)

    assert answer["Location"] == "/login/"
    assert not is_in(other)
    assert recorded()[-1][:2] == ("auth.login", "denied")


def test_nobody_gets_in_unrecorded(client, provider, monkeypatch):
    came_back(client, provider)
    monkeypatch.setattr(audit, "append", lambda **_: (_ for _ in ()).throw(audit.NotRecorded("full")))
    other = Client()

    assert came_back(other, provider).status_code == 503
    assert not is_in(other)


def test_nobody_new_comes_to_be_unrecorded(client, provider, monkeypatch):
    monkeypatch.setattr(audit, "append", lambda **_: (_ for _ in ()).throw(audit.NotRecorded("full")))

    answer = came_back(client, provider)

    assert answer.status_code == 503
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
def test_half_a_provider_stops_the_start(monkeypatch, values, hint):
    for name, value in values.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(ImproperlyConfigured, match=hint):
        oidc_from(environ.Env())
