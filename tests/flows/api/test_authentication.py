"""A call needs a token that works now. Cookies have no effect, and no answer says more than it must."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from flexadmin.models import ApiToken, OneTimePassword
from flexadmin.users import api_tokens, services, token_authentication
from flows.api.rate_limits import RateCounter
from flows.audit.models import AuditEvent

pytestmark = pytest.mark.django_db(transaction=True)


def status_of(credentials, **headers):
    authorization = f"Bearer {credentials}"
    return Client().get("/api/v1/flows", headers={"authorization": authorization, **headers})


def test_session_opens_no_call(client_of):
    client = client_of("admin")

    responses = [client.get("/api/v1/flows"), client.post("/api/v1/flows", {})]

    assert [response.status_code for response in responses] == [401, 401]
    assert responses[0]["WWW-Authenticate"].startswith("Bearer")
    assert responses[0].json()["code"] == "unauthorized"


@pytest.mark.parametrize("change", ["key", "secret", "empty", "scheme"])
def test_wrong_token_is_refused(api_client, change):
    key, secret = api_client().credentials.split(".")
    wrong = {
        "key": f"Bearer {key[:-1]}x.{secret}",
        "secret": f"Bearer {key}.{secret[:-1]}!",
        "empty": "Bearer ",
        "scheme": f"Basic {key}.{secret}",
    }[change]

    response = Client().get("/api/v1/flows", headers={"authorization": wrong})

    assert response.status_code == 401


def test_expired_and_revoked_tokens_are_refused(api_client, actor):
    expired, revoked = api_client("viewer"), api_client("admin")
    ApiToken.objects.filter(pk=expired.token.pk).update(expires_at=timezone.now())
    api_tokens.revoke_token(revoked.token, actor=actor)

    statuses = [client.get("flows").status_code for client in (expired, revoked)]

    assert statuses == [401, 401]


def test_deactivation_revokes_all_tokens_with_an_event_for_each(api_client, person, actor):
    person("admin")
    client, other = api_client(), api_client()

    services.set_active(
        person=client.token.person, is_active=False, actor=actor, reason="Left the company"
    )

    assert client.get("flows").status_code == 401
    assert not ApiToken.objects.exists()
    events = AuditEvent.objects.filter(action="people.token_revoke").select_related("payload")
    identifiers = {event.payload.before["identifier"] for event in events}
    assert identifiers == {client.token.key, other.token.key}


def test_token_never_allows_more_than_its_user_now_may(flow_sid, api_client, person, actor):
    person("admin")
    client = api_client("operator")

    services.set_roles(
        person=client.token.person, role="", on_accounts={}, actor=actor, reason="Moved"
    )

    assert client.get("flows").status_code == 403


def test_token_waits_for_required_steps_of_its_user(api_client, settings):
    temporary, without_factor = api_client("viewer"), api_client("operator")
    OneTimePassword.objects.create(person=temporary.token.person)

    assert temporary.get("flows").status_code == 401
    assert without_factor.get("flows").status_code == 200
    settings.SECOND_FACTOR_REQUIRED = True
    assert without_factor.get("flows").status_code == 401


@pytest.mark.parametrize(
    ("networks", "status"),
    [(["127.0.0.0/8"], 200), (["::ffff:127.0.0.1/128", "203.0.113.0/24"], 401), ([], 200)],
)
def test_token_works_from_its_addresses_only(api_client, networks, status):
    client = api_client(networks=networks)

    assert client.get("flows").status_code == status
    denials = AuditEvent.objects.filter(action="people.token_use", result="denied")
    assert denials.count() == (status == 401)


def test_secret_is_stored_as_an_hmac_that_survives_a_new_key(api_client, settings):
    client = api_client()
    _, secret = client.credentials.split(".")
    assert secret not in str(ApiToken.objects.values())
    old_key = settings.SECRET_KEY

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new-key" * 8, [old_key]
    assert client.get("flows").status_code == 200
    settings.SECRET_KEY_FALLBACKS = []  # the digest was renewed at the token's use
    assert client.get("flows").status_code == 200
    settings.SECRET_KEY = "another-key" * 5
    assert client.get("flows").status_code == 401


def test_last_use_is_written_once_a_minute(api_client, django_assert_num_queries):
    client = api_client()
    client.get("flows")
    first = ApiToken.objects.get().last_used_at

    client.get("flows")
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(seconds=61))
    client.get("flows")

    token = ApiToken.objects.get()
    assert token.last_used_at > first
    assert token.last_used_ip == "127.0.0.1"


def test_too_many_invalid_tokens_lock_the_address_out_but_no_valid_token(api_client, monkeypatch):
    client = api_client()
    limit = token_authentication.TOKEN_LIMIT.rules[0].max_attempts

    statuses = [status_of(f"flexapi_0.{number}").status_code for number in range(limit + 2)]

    assert statuses == [401] * limit + [429] * 2
    assert int(status_of("flexapi_0.x")["Retry-After"]) > 0
    assert client.get("flows").status_code == 200
    assert AuditEvent.objects.filter(action="auth.lockout").count() == 1


def test_token_reaches_no_log_and_no_page(api_client, caplog, sandbox):
    client = api_client()
    _, secret = client.credentials.split(".")

    response = client.send("POST", "flows", {"reason": f"with {client.credentials}"})

    assert secret not in caplog.text
    assert secret not in response.content.decode()


def test_requests_are_limited_and_the_headers_say_so(api_client, settings):
    settings.API_RATE_LIMIT = 2
    client = api_client()

    responses = [client.get("flows") for _ in range(3)]

    assert [response.status_code for response in responses] == [200, 200, 429]
    assert [response["RateLimit-Remaining"] for response in responses] == ["1", "0", "0"]
    assert 1 <= int(responses[2]["Retry-After"]) <= 60


def test_each_minute_has_its_own_count():
    times = iter([0.0, 59.0, 60.0])
    counter = RateCounter(clock=lambda: next(times))

    remaining = [counter.count("key", 5).remaining for _ in range(3)]

    assert remaining == [4, 3, 4]


def test_unknown_address_and_method_are_problems(api_client):
    client = api_client()

    missing, wrong_method = client.get("nothing"), client.send("PUT", "flows", {})

    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    assert (wrong_method.status_code, wrong_method["Allow"]) == (405, "GET, POST")
    assert wrong_method["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("data", "status"), [(b"{", 400), (b'{"a": "\xff"}', 400), (b" " * (5 * 1024**2), 413)]
)
def test_unreadable_body_is_a_problem(api_client, data, status):
    client = api_client()

    response = Client().post(
        "/api/v1/flows",
        data,
        content_type="application/json",
        headers={"authorization": f"Bearer {client.credentials}"},
    )

    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
