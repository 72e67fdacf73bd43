"""What a provider of single sign-on may cost the site, what it has to say of a user, and which of its users count."""

import logging
import threading

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client

from flexadmin.signin import login_throttle, oidc_provider
from flexadmin.signin.auth_events import ANONYMOUS_LABEL
from flexadmin.signin.oidc_settings import is_uid_of_issuer, sso_uid
from flows.audit.models import AuditEvent
from tests.flexadmin.signin.test_sso import came_back
from tests.flexadmin.signing_in import is_signed_in, recorded_events, sign_in
from tests.flexadmin.users.test_users import do

pytestmark = pytest.mark.django_db
START = "/login/sso/oidc/"
CONFIGURATION = "/.well-known/openid-configuration"


def last_message():
    return AuditEvent.objects.select_related("payload").latest("seq").payload.message


# The start


def test_starts_ask_the_provider_once_in_a_while(provider):
    for _ in range(10):
        Client().get(START)

    assert provider.opened.count(CONFIGURATION) == 1


def test_starts_from_an_address_are_counted_before_anything_is_kept(provider):
    most = login_throttle.SSO_START_LIMIT.rules[0].max_attempts
    for _ in range(most):
        assert Client().get(START).status_code == 302
    before = Session.objects.count()

    refused = [Client().get(START) for _ in range(5)]
    elsewhere = Client().get(START, REMOTE_ADDR="198.51.100.9")

    assert [answer.status_code for answer in refused] == [429] * 5
    assert 0 < int(refused[0]["Retry-After"]) <= 300
    assert "Too many unfinished single sign-ons" in refused[0].content.decode()
    assert elsewhere.status_code == 302
    assert Session.objects.count() == before + 1
    assert recorded_events("auth.lockout") == [("auth.lockout", "denied", ANONYMOUS_LABEL, "")]


def test_starts_keep_nobody_from_signing_in_with_a_password(provider, person):
    person()
    for _ in range(110):
        Client().get(START)

    assert sign_in(Client()).status_code == 302


def test_start_that_ends_in_a_sign_in_does_not_count(provider):
    for _ in range(login_throttle.SSO_START_LIMIT.rules[0].max_attempts + 5):
        came_back(Client(), provider)

    assert Client().get(START).status_code == 302


def test_start_that_fails_keeps_nothing_and_logs_a_line(provider, caplog):
    provider.fault = "away"

    with caplog.at_level(logging.WARNING, "flexadmin"):
        answer = Client().get(START)

    assert answer["Location"] == "/login/"
    assert not Session.objects.exists()
    (record,) = [one for one in caplog.records if one.name == "flexadmin"]
    assert record.exc_info is None
    assert "unexpected response from the provider (HTTPError)" in record.getMessage()


def test_visit_that_is_kept_for_a_start_ends_soon_and_a_sign_in_as_any_other(
    client, provider, settings
):
    client.get(START)
    assert client.session.get_expiry_age() == 600

    came_back(client, provider)

    assert client.session.get_expiry_age() == settings.SESSION_COOKIE_AGE


def test_failures_beyond_a_number_are_recorded_as_such_once(provider):
    provider.fault = "away"

    for _ in range(20):
        Client().get(START)

    assert len(recorded_events("auth.login")) == 10
    assert recorded_events("auth.lockout") == [("auth.lockout", "denied", ANONYMOUS_LABEL, "")]
    assert last_message() == "single sign-on: further failures are not logged"


# The configuration


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


DOCUMENT = dict.fromkeys(oidc_provider.REQUIRED_KEYS, "https://id.example.com")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def kept(clock):
    return oidc_provider.Configurations(clock)


def failing():
    raise OSError("no answer")


def test_configuration_is_fetched_again_when_it_is_old(kept, clock):
    fetched = []

    def fetch():
        fetched.append(1)
        return DOCUMENT

    kept.get("a", fetch)
    clock.now += oidc_provider.CONFIGURATION_TTL - 1
    kept.get("a", fetch)
    assert len(fetched) == 1
    clock.now += 2
    kept.get("a", fetch)

    assert len(fetched) == 2


def test_provider_in_trouble_is_left_alone_for_some_seconds(kept, clock):
    for _ in range(oidc_provider.MAX_FAILURES):
        with pytest.raises(OSError, match="no answer"):
            kept.get("a", failing)

    with pytest.raises(oidc_provider.ProviderUnavailable):
        kept.get("a", lambda: DOCUMENT)
    assert kept.get("b", lambda: DOCUMENT) == DOCUMENT
    clock.now += oidc_provider.FAILURE_PAUSE

    assert kept.get("a", lambda: DOCUMENT) == DOCUMENT


def test_one_failure_is_forgotten_at_once(kept):
    with pytest.raises(OSError, match="no answer"):
        kept.get("a", failing)

    assert kept.get("a", lambda: DOCUMENT) == DOCUMENT


@pytest.mark.parametrize("document", [{}, [], "text", {**DOCUMENT, "issuer": ""}])
def test_incomplete_configuration_is_a_failure(kept, document):
    with pytest.raises(ValueError, match="incomplete"):
        kept.get("a", lambda: document)


def test_nobody_waits_beside_a_request_to_a_provider_in_trouble(kept):
    with pytest.raises(OSError, match="no answer"):
        kept.get("a", failing)
    asked, go_on = threading.Event(), threading.Event()

    def slow():
        asked.set()
        go_on.wait()
        return DOCUMENT

    thread = threading.Thread(target=kept.get, args=("a", slow))
    thread.start()
    asked.wait()

    with pytest.raises(oidc_provider.ProviderUnavailable, match="another request"):
        kept.get("a", failing)

    go_on.set()
    thread.join()
    assert kept.get("a", failing) == DOCUMENT


def test_configuration_that_is_out_of_date_is_fetched_again_before_anybody_is_refused(
    client, provider
):
    came_back(Client(), provider)
    provider.issuer = "https://id.example.com"

    came_back(client, provider)

    assert is_signed_in(client)


# Who it is

CONTRADICTIONS = {
    "another sub": ({"sub": "victim"}, {}, "about different users"),
    "no sub in the user info": ({"preferred_username": "nina"}, {}, "did not say sent no user ID"),
    "sub that is no text": ({"sub": 7}, {}, "did not say sent no user ID"),
    "no user info": ([], {}, "did not say sent no user ID"),
    "no sub in the ID token": ({"sub": "7f3a"}, {"sub": None}, "lacks sub"),
    "no exp": (None, {"exp": None}, "lacks exp"),
    "no iat": (None, {"iat": None}, "lacks iat"),
    "several audiences": (None, {"aud": ["flexadmin", "other"]}, "for another site"),
    "another party": (None, {"azp": "other"}, "for another site"),
}


@pytest.mark.parametrize(
    ("userinfo", "token_claims", "why"), CONTRADICTIONS.values(), ids=CONTRADICTIONS
)
def test_provider_that_contradicts_itself_lets_nobody_in(
    client, provider, userinfo, token_claims, why
):
    provider.userinfo, provider.token_claims = userinfo, token_claims

    answer = came_back(client, provider)

    assert answer["Location"] == "/login/"
    assert not User.objects.exists()
    assert recorded_events() == [("auth.login", "denied", ANONYMOUS_LABEL, "")]
    assert why in last_message()


@pytest.mark.parametrize(
    "token_claims",
    [
        {"iss": "https://other.example.com"},
        {"iss": None},
        {"aud": None},
        {"aud": "other"},
        {"exp": 1},
    ],
    ids=str,
)
def test_token_of_somebody_else_or_of_before_lets_nobody_in(client, provider, token_claims):
    provider.token_claims = token_claims

    assert came_back(client, provider)["Location"] == "/login/"
    assert not User.objects.exists()


def test_answer_without_an_id_token_lets_nobody_in(client, provider):
    provider.fault = "no ID token"

    assert came_back(client, provider)["Location"] == "/login/"
    assert last_message() == "single sign-on: the provider sent no ID token"


def test_several_audiences_with_this_site_as_the_party_are_right(client, provider):
    provider.token_claims = {"aud": ["flexadmin", "other"], "azp": "flexadmin"}

    came_back(client, provider)

    assert is_signed_in(client)


# Whose ties count

ISSUER = "https://id.example.com/realms/new"


@pytest.mark.parametrize(
    ("issuer", "counts"),
    [
        (ISSUER, True),
        (f"{ISSUER}/", True),
        (f"{ISSUER}-old", False),
        (f"{ISSUER}/old", False),
        ("https://id.example.com/realms", False),
        (ISSUER.upper(), False),
        (f"{ISSUER}//", False),
    ],
)
def test_administrator_counts_by_the_whole_name_of_the_provider(
    client_of, person, settings, issuer, counts
):
    admin, me = client_of("admin"), User.objects.get(username="admin")
    other = person("admin", "oldsso")
    other.set_unusable_password()
    other.save()
    SocialAccount.objects.create(user=other, provider="oidc", uid=f"{issuer} sub1")
    app = {"provider_id": "oidc", "client_id": "x", "settings": {"server_url": ISSUER}}
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}

    answer = do(admin, me, "role", role="viewer")

    assert answer.status_code == (302 if counts else 409)
    page = admin.get(f"/people/{other.pk}/")
    assert page.status_code == (403 if counts else 200)
    if not counts:
        assert "not the provider of this site: no access" in page.content.decode()


def test_tie_is_compared_up_to_the_space():
    assert is_uid_of_issuer(ISSUER, f"{ISSUER} a b")
    assert not is_uid_of_issuer("", " sub")


@pytest.mark.parametrize(("issuer", "subject"), [("", "x"), (ISSUER, ""), ("https://a b", "x")])
def test_tie_takes_both_names(issuer, subject):
    with pytest.raises(ValueError, match="sent no user ID"):
        sso_uid(issuer, subject)
