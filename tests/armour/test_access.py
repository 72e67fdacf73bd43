"""Each place, by each method, as each person, as the table says (tests/data/access.json); nothing is written by asking, or
by a form whose token is missing."""

import pytest

from flows.audit.models import AuditEvent
from tests.armour.places import (
    ACCESS,
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
ABSENT = {"the token's bearer", "sent there by the provider"}  # the tests' site has neither
EACH_PLACE = pytest.mark.parametrize("name", URL_NAMES)


def refusals() -> int:
    return AuditEvent.objects.filter(result="denied").count()


def expected(person: str, name: str, method: str) -> str:
    if is_allowed(person, name, method):
        return "in"
    if ACCESS[name].get(method) in ABSENT:
        return "404"
    is_absent = not ABSENT.isdisjoint(ACCESS[name].values())
    if person == "anonymous" and not is_absent and "anyone" not in ACCESS[name].values():
        return "sign in"
    return "refused" if method in ACCESS[name] and person != "anonymous" else "405"


def became(response: object, denied: int) -> str:
    """What an answer comes to, and whether the refusal's event is there."""
    status = response.status_code  # type: ignore[attr-defined]
    if requires_sign_in(response):
        return "sign in"
    if status == 405:
        return "405"
    if status == 403:
        return "refused" + " on record" * denied
    is_health = status == 503 and response["Content-Type"] == "application/json"  # type: ignore[index]
    return (
        "in" if status < 400 or is_health else f"{status}"
    )  # a test's own transaction keeps SQLite from a write


@pytest.mark.quick
def test_table_names_every_place_and_no_other():
    assert sorted(ACCESS) == URL_NAMES


@EACH_PLACE
def test_person_gets_what_the_table_says_and_nothing_else(world: SampleSite, name):
    found = {}
    for person in USERS:
        for method in METHODS:
            client, (url, data) = world.client(person), world.call(name, person)
            sent, denied = len(world.writes()), refusals()
            response = send_form(client, method, url, data)
            is_in = expected(person, name, method)
            is_in += " on record" if is_in == "refused" and method == "POST" else ""
            what = became(response, refusals() - denied)
            if what != is_in or (is_in != "in" and len(world.writes()) != sent):
                found[person, method] = f"{what}, not {is_in}"

    assert found == {}


@pytest.mark.quick("nobody")
@pytest.mark.parametrize("who", ["nobody", "admin"])
def test_asking_writes_nothing(world: SampleSite, who):
    client, changed = world.client(who), {}
    calls = {name: world.call(name, who) for name in URL_NAMES}
    before, sent = dump_database(), len(world.writes())

    for name, (url, data) in calls.items():
        statuses = {
            method: send_form(client, method, url, data).status_code for method in SAFE_METHODS
        }
        if dump_database() != before or len(world.writes()) != sent:
            changed[name] = statuses
            before, sent = dump_database(), len(world.writes())

    assert changed == {}


@EACH_PLACE
def test_form_without_its_token_is_refused_and_writes_nothing(world: SampleSite, name):
    url, data = world.call(name)
    client = world.client("admin", enforce_csrf_checks=True)
    before, sent = dump_database(), len(world.writes())

    statuses = {
        method: send_form(client, method, url, data).status_code
        for method in METHODS
        if method not in SAFE_METHODS
    }

    assert set(statuses.values()) <= {403, 405}
    assert statuses["POST"] == 403
    assert (dump_database(), len(world.writes())) == (before, sent)
    assert "_auth_user_id" in client.session  # nobody is signed out by another site either
