"""Single sign-on: limits on starts, the configuration cache, checks of claims, identities of admins."""

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
from tests.flexadmin.signin.test_sso import sign_in_by_sso
from tests.flexadmin.signing_in import is_signed_in, recorded_events, sign_in
from tests.flexadmin.users.test_users import post_operation

pytestmark = pytest.mark.django_db
START = "/login/sso/oidc/"
CONFIGURATION = "/.well-known/openid-configuration"


def last_message():
    return AuditEvent.objects.select_related("payload").latest("seq").payload.message


# Starts


def test_starts_share_a_cached_configuration(provider):
    for _ in range(10):
        Client().get(START)

    assert provider.requested_paths.count(CONFIGURATION) == 1


def test_throttled_starts_create_no_session(provider):
    max_attempts = login_throttle.SSO_START_LIMIT.rules[0].max_attempts
    for _ in range(max_attempts):
        assert Client().get(START).status_code == 302
    before = Session.objects.count()

    refused = [Client().get(START) for _ in range(5)]
    elsewhere = Client().get(START, REMOTE_ADDR="198.51.100.9")

    assert [response.status_code for response in refused] == [429] * 5
    assert 0 < int(refused[0]["Retry-After"]) <= 300
    assert "Too many unfinished single sign-ons" in refused[0].content.decode()
    assert elsewhere.status_code == 302
    assert Session.objects.count() == before + 1
    assert recorded_events("auth.lockout") == [("auth.lockout", "denied", ANONYMOUS_LABEL, "")]


def test_starts_do_not_block_sign_in_by_password(provider, person):
    person()
    for _ in range(110):
        Client().get(START)

    assert sign_in(Client()).status_code == 302


def test_completed_sign_ins_do_not_count_as_starts(provider):
    for _ in range(login_throttle.SSO_START_LIMIT.rules[0].max_attempts + 5):
        sign_in_by_sso(Client(), provider)

    assert Client().get(START).status_code == 302


def test_failed_start_creates_no_session_and_logs_a_line(provider, caplog):
    provider.fault = "away"

    with caplog.at_level(logging.WARNING, "flexadmin"):
        response = Client().get(START)

    assert response["Location"] == "/login/"
    assert not Session.objects.exists()
    (record,) = [one for one in caplog.records if one.name == "flexadmin"]
    assert record.exc_info is None
    assert "unexpected response from the provider (HTTPError)" in record.getMessage()


def test_session_of_a_start_is_short_until_the_sign_in_completes(client, provider, settings):
    client.get(START)
    assert client.session.get_expiry_age() == 600

    sign_in_by_sso(client, provider)

    assert client.session.get_expiry_age() == settings.SESSION_COOKIE_AGE


def test_failures_beyond_the_limit_are_recorded_once(provider):
    provider.fault = "away"

    for _ in range(20):
        Client().get(START)

    assert len(recorded_events("auth.login")) == 10
    assert recorded_events("auth.lockout") == [("auth.lockout", "denied", ANONYMOUS_LABEL, "")]
    assert last_message() == "single sign-on: further failures are not logged"


# Configuration


class Clock:
    current_time = 1000.0

    def __call__(self):
        return self.current_time


DOCUMENT = dict.fromkeys(oidc_provider.REQUIRED_KEYS, "https://id.example.com")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def configurations(clock):
    return oidc_provider.Configurations(clock)


def fail():
    raise OSError("no answer")


def test_old_configuration_is_fetched_again(configurations, clock):
    fetches = []

    def fetch():
        fetches.append(1)
        return DOCUMENT

    configurations.get("a", fetch)
    clock.current_time += oidc_provider.CONFIGURATION_TTL - 1
    configurations.get("a", fetch)
    assert len(fetches) == 1
    clock.current_time += 2
    configurations.get("a", fetch)

    assert len(fetches) == 2


def test_failing_provider_is_not_requested_for_some_seconds(configurations, clock):
    for _ in range(oidc_provider.MAX_FAILURES):
        with pytest.raises(OSError, match="no answer"):
            configurations.get("a", fail)

    with pytest.raises(oidc_provider.ProviderUnavailable):
        configurations.get("a", lambda: DOCUMENT)
    assert configurations.get("b", lambda: DOCUMENT) == DOCUMENT
    clock.current_time += oidc_provider.FAILURE_PAUSE

    assert configurations.get("a", lambda: DOCUMENT) == DOCUMENT


def test_one_failure_causes_no_pause(configurations):
    with pytest.raises(OSError, match="no answer"):
        configurations.get("a", fail)

    assert configurations.get("a", lambda: DOCUMENT) == DOCUMENT


@pytest.mark.parametrize("document", [{}, [], "text", {**DOCUMENT, "issuer": ""}])
def test_incomplete_configuration_is_a_failure(configurations, document):
    with pytest.raises(ValueError, match="incomplete"):
        configurations.get("a", lambda: document)


def test_requests_do_not_wait_for_a_failing_provider(configurations):
    with pytest.raises(OSError, match="no answer"):
        configurations.get("a", fail)
    is_requested, may_respond = threading.Event(), threading.Event()

    def fetch_slowly():
        is_requested.set()
        may_respond.wait()
        return DOCUMENT

    thread = threading.Thread(target=configurations.get, args=("a", fetch_slowly))
    thread.start()
    is_requested.wait()

    with pytest.raises(oidc_provider.ProviderUnavailable, match="another request"):
        configurations.get("a", fail)

    may_respond.set()
    thread.join()
    assert configurations.get("a", fail) == DOCUMENT


def test_outdated_configuration_is_fetched_again_before_a_refusal(client, provider):
    sign_in_by_sso(Client(), provider)
    provider.issuer = "https://id.example.com"

    sign_in_by_sso(client, provider)

    assert is_signed_in(client)


# Claims

INVALID_CLAIMS = {
    "another sub": ({"sub": "victim"}, {}, "about different users"),
    "no sub in the user info": ({"preferred_username": "nina"}, {}, "did not say who this is"),
    "sub that is no text": ({"sub": 7}, {}, "did not say who this is"),
    "no user info": ([], {}, "did not say who this is"),
    "no sub in the ID token": ({"sub": "7f3a"}, {"sub": None}, "lacks sub"),
    "no exp": (None, {"exp": None}, "lacks exp"),
    "no iat": (None, {"iat": None}, "lacks iat"),
    "several audiences": (None, {"aud": ["flexadmin", "other"]}, "for another site"),
    "another party": (None, {"azp": "other"}, "for another site"),
}


@pytest.mark.parametrize(
    ("userinfo", "token_claims", "cause"), INVALID_CLAIMS.values(), ids=INVALID_CLAIMS
)
def test_inconsistent_claims_are_refused(client, provider, userinfo, token_claims, cause):
    provider.userinfo, provider.token_claims = userinfo, token_claims

    response = sign_in_by_sso(client, provider)

    assert response["Location"] == "/login/"
    assert not User.objects.exists()
    assert recorded_events() == [("auth.login", "denied", ANONYMOUS_LABEL, "")]
    assert cause in last_message()


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
def test_foreign_or_expired_token_is_refused(client, provider, token_claims):
    provider.token_claims = token_claims

    assert sign_in_by_sso(client, provider)["Location"] == "/login/"
    assert not User.objects.exists()


def test_response_without_an_id_token_is_refused(client, provider):
    provider.fault = "no ID token"

    assert sign_in_by_sso(client, provider)["Location"] == "/login/"
    assert last_message() == "single sign-on: the provider sent no ID token"


def test_several_audiences_are_accepted_if_this_site_is_the_authorized_party(client, provider):
    provider.token_claims = {"aud": ["flexadmin", "other"], "azp": "flexadmin"}

    sign_in_by_sso(client, provider)

    assert is_signed_in(client)


# Identities of administrators

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
def test_admin_identity_must_match_the_whole_issuer(client_of, person, settings, issuer, counts):
    admin, own_user = client_of("admin"), User.objects.get(username="admin")
    other = person("admin", "oldsso")
    other.set_unusable_password()
    other.save()
    SocialAccount.objects.create(user=other, provider="oidc", uid=f"{issuer} sub1")
    app = {"provider_id": "oidc", "client_id": "x", "settings": {"server_url": ISSUER}}
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}

    response = post_operation(admin, own_user, "role", role="viewer")

    assert response.status_code == (302 if counts else 409)
    page = admin.get(f"/people/{other.pk}/")
    assert page.status_code == (403 if counts else 200)
    if not counts:
        assert "not the provider of this site: no access" in page.content.decode()


def test_issuer_of_a_uid_ends_at_the_space():
    assert is_uid_of_issuer(ISSUER, f"{ISSUER} a b")
    assert not is_uid_of_issuer("", " sub")


@pytest.mark.parametrize(("issuer", "subject"), [("", "x"), (ISSUER, ""), ("https://a b", "x")])
def test_uid_needs_issuer_and_subject(issuer, subject):
    with pytest.raises(ValueError, match="sent no user ID"):
        sso_uid(issuer, subject)
