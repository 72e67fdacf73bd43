"""Access to every URL, by every method and user, as tests/data/access.json lists it.

Reads, and forms without their CSRF token, write nothing.
"""

import pytest

from flows.audit.models import AuditEvent
from tests.security.places import (
    ACCESS,
    API_CALLS,
    METHODS,
    SAFE_METHODS,
    URL_NAMES,
    USERS,
    SampleSite,
    dump_database,
    is_allowed,
    requires_sign_in,
    send_form,
)

pytestmark = pytest.mark.django_db
ABSENT_USERS = {"the token's bearer", "sent there by the provider"}  # neither exists in the tests
API_USER = "an API token's bearer"  # whom no session can be
each_place = pytest.mark.parametrize("name", URL_NAMES)


def count_refusals() -> int:
    return AuditEvent.objects.filter(result="denied").count()


def expected_access(person: str, name: str, method: str) -> str:
    if is_allowed(person, name, method):
        return "in"
    if name == "api:no-call":
        return "404"
    if name in API_CALLS:
        return "sign in" if ACCESS[name].get(method) == API_USER else "405"
    if ACCESS[name].get(method) in ABSENT_USERS:
        return "404"
    is_absent = not ABSENT_USERS.isdisjoint(ACCESS[name].values())
    if person == "anonymous" and not is_absent and "anyone" not in ACCESS[name].values():
        return "sign in"
    return "refused" if method in ACCESS[name] and person != "anonymous" else "405"


def classify_response(response: object, refusal_count: int) -> str:
    """Return the kind of access that a response gives, and whether a refusal was recorded."""
    status = response.status_code  # type: ignore[attr-defined]
    if requires_sign_in(response):
        return "sign in"
    if status == 405:
        return "405"
    if status == 403:
        return "refused" + " on record" * refusal_count
    is_health = status == 503 and response["Content-Type"] == "application/json"  # type: ignore[index]
    # The health check fails because the test's own transaction locks SQLite.
    return "in" if status < 400 or is_health else f"{status}"


@pytest.mark.quick
def test_table_lists_every_url():
    assert sorted(ACCESS) == URL_NAMES


@each_place
def test_user_has_the_access_that_the_table_lists(site: SampleSite, name):
    differences = {}
    for person in USERS:
        for method in METHODS:
            client, (url, data) = site.client(person), site.call(name, person)
            write_count, refusal_count = len(site.writes()), count_refusals()
            response = send_form(client, method, url, data)
            expectation = expected_access(person, name, method)
            expectation += " on record" if expectation == "refused" and method == "POST" else ""
            access = classify_response(response, count_refusals() - refusal_count)
            if access != expectation or (expectation != "in" and len(site.writes()) != write_count):
                differences[person, method] = f"{access}, not {expectation}"

    assert differences == {}


@pytest.mark.quick("nobody")
@pytest.mark.parametrize("who", ["nobody", "admin"])
def test_reads_write_nothing(site: SampleSite, who):
    client, writing_places = site.client(who), {}
    calls = {name: site.call(name, who) for name in URL_NAMES}
    before, write_count = dump_database(), len(site.writes())

    for name, (url, data) in calls.items():
        statuses = {
            method: send_form(client, method, url, data).status_code for method in SAFE_METHODS
        }
        if dump_database() != before or len(site.writes()) != write_count:
            writing_places[name] = statuses
            before, write_count = dump_database(), len(site.writes())

    assert writing_places == {}


@pytest.mark.quick
def test_every_page_opens_on_a_site_with_two_accounts(site: SampleSite, staging):
    client = site.client("admin")
    places = [name for name in URL_NAMES if is_allowed("admin", name, "GET")]
    statuses = {}

    for name in places:
        url, data = site.call(name, "admin")
        statuses[name] = send_form(client, "GET", url, data).status_code

    health = {name for name in statuses if name.startswith("health")}
    assert {name for name, status in statuses.items() if status >= 400} - health == set()


@each_place
def test_form_without_csrf_token_is_refused_and_writes_nothing(site: SampleSite, name):
    url, data = site.call(name)
    client = site.client("admin", enforce_csrf_checks=True)
    before, write_count = dump_database(), len(site.writes())

    statuses = {
        method: send_form(client, method, url, data).status_code
        for method in METHODS
        if method not in SAFE_METHODS
    }

    if name in API_CALLS:  # cookies have no effect there, so no token protects them
        assert set(statuses.values()) <= {401, 404, 405}
    else:
        assert set(statuses.values()) <= {403, 405}
        assert statuses["POST"] == 403
    assert (dump_database(), len(site.writes())) == (before, write_count)
    assert "_auth_user_id" in client.session  # another site can't sign anyone out either
