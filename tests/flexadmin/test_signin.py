"""Who gets in, by name and password and by second factor; who has to wait; and what of it goes on record."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from flexadmin import limits
from flexadmin.access import MASKED, NOBODY
from flexadmin.models import SignInTry
from flows.models import AuditEvent, AuditPayload
from flows.services import audit
from tests.conftest import form_data
from tests.flexadmin.signing_in import code_of, confirmed, is_in, recorded, sign_in, with_app
from tests.flexadmin.test_typed import form_with
from tests.markup import squeezed

pytestmark = pytest.mark.django_db
HERE, ELSEWHERE = "192.0.2.7", "198.51.100.9"


@pytest.fixture
def unwritable(monkeypatch):
    def refuse(**_said):
        raise audit.NotRecorded("the audit log cannot be written")

    return lambda: monkeypatch.setattr(audit, "append", refuse)


def test_two_fields_sign_a_script_in(client, person):
    person()

    answer = sign_in(client)

    assert (answer.status_code, answer["Location"]) == (302, "/flows/")
    assert is_in(client)


def test_sign_in_leads_to_the_page_that_was_asked_for_and_never_off_the_site(client, person):
    person()

    assert sign_in(client, next="/audit/")["Location"] == "/audit/"
    assert sign_in(Client(), next="https://evil.example/")["Location"] == "/flows/"


def test_sign_in_and_sign_out_go_on_record(client, person):
    someone = person()

    sign_in(client, REMOTE_ADDR=HERE)
    client.post("/logout/")

    assert recorded() == [
        ("auth.login", "succeeded", "operator", "operator"),
        ("auth.logout", "succeeded", "operator", "operator"),
    ]
    event = AuditEvent.objects.get(action="auth.login")
    assert (event.actor_id, event.actor_role, event.source_ip) == (str(someone.pk), "operator", HERE)
    assert not is_in(client)


def test_bad_password_goes_on_record_as_about_the_name_by_nobody(client, person):
    person()

    answer = sign_in(client, password="wrong")

    assert answer.status_code == 200
    assert recorded() == [("auth.login", "denied", NOBODY, "operator")]
    assert AuditEvent.objects.get().actor_id == ""


def test_password_typed_into_the_field_of_the_name_is_kept_nowhere(client, person):
    person()

    sign_in(client, name="hunter2 is my password", password="x")

    kept = [*AuditEvent.objects.values(), *AuditPayload.objects.values(), *SignInTry.objects.values()]
    assert recorded() == [("auth.login", "denied", NOBODY, MASKED)]
    assert "hunter2" not in str(kept)


def test_nobody_gets_in_unrecorded(client, person, unwritable):
    person()
    unwritable()

    refused = sign_in(client)

    assert (refused.status_code, refused["Retry-After"]) == (503, "10")
    assert "Couldn’t write to the audit log" in refused.content.decode()
    assert not is_in(client)


def test_what_was_typed_survives_a_sign_in_that_could_not_be_recorded(
    client_of, sandbox, flow_sid, unwritable
):
    client = client_of()
    path = f"/flows/{flow_sid}/edit/"
    form = {**form_data(client.get(path)), "friendly_name": "Plaintes Lyon"}
    Session.objects.all().delete()
    _, fields = form_with(client.post(path, form), "password")
    unwritable()

    refused = sign_in(client, typed=fields["typed"])

    action, kept = form_with(refused, "edit_again")
    assert (refused.status_code, action, kept["friendly_name"]) == (503, path, "Plaintes Lyon")


def test_deactivated_person_does_not_get_in(client, person):
    User.objects.filter(pk=person().pk).update(is_active=False)

    sign_in(client)

    assert not is_in(client)


def test_nobody_is_kept_in_because_it_cannot_be_recorded(client_of, unwritable):
    client = client_of()
    unwritable()

    client.post("/logout/")

    assert not is_in(client)


# Who has to wait


def tried(times, name="operator", address=HERE):
    for _ in range(times):
        answer = sign_in(Client(), name, "wrong", REMOTE_ADDR=address)
    return answer


def test_ten_bad_sign_ins_hold_back_even_the_right_password(client, person):
    person()
    assert tried(10).status_code == 200

    held_back = sign_in(client, REMOTE_ADDR=HERE)

    assert held_back.status_code == 429
    assert 0 < int(held_back["Retry-After"]) <= 900
    assert "Too many failed attempts" in held_back.content.decode()
    assert "Try again in 15 minutes" in squeezed(held_back.content.decode())
    assert not is_in(client)


SPELT = [
    "operator",
    "ｏperator",
    "o𝐩erator",
    "opera𝑡or",
    "ＯPERATOR",
]  # the last: another name, the same count


@pytest.mark.parametrize("name", SPELT)
def test_name_is_the_same_however_it_is_spelt(person, name):
    person()
    for spelt in SPELT * 2:
        tried(1, name=spelt)

    assert sign_in(Client(), name, REMOTE_ADDR=HERE).status_code == 429
    assert sign_in(Client(), "ｏ𝐩erator", "operator-password", REMOTE_ADDR=ELSEWHERE).status_code == 302
    assert {event[3] for event in recorded("auth.lockout")} <= {"operator", MASKED}
    assert [event[3] for event in recorded("auth.login")].count("operator") == 2 * 4 + 1


def test_spelling_does_not_hide_where_somebody_was_before(person):
    person()
    sign_in(Client(), REMOTE_ADDR=HERE)
    for number in range(50):
        tried(1, address=f"198.51.100.{number}")

    assert sign_in(Client(), "ｏperator", "operator-password", REMOTE_ADDR=HERE).status_code == 302


def test_network_of_ipv6_counts_as_one_address(person):
    person()
    for number in range(10):
        tried(1, address=f"2001:db8::{number}:{number}")

    assert sign_in(Client(), REMOTE_ADDR="2001:db8::ffff").status_code == 429
    assert sign_in(Client(), REMOTE_ADDR="2001:db8:0:1::1").status_code == 302


def test_name_tried_from_everywhere_still_gets_in_from_the_same_network_of_ipv6(person):
    person()
    assert sign_in(Client(), REMOTE_ADDR="2001:db8::1").status_code == 302
    for number in range(50):
        tried(1, address=f"198.51.100.{number}")

    assert sign_in(Client(), REMOTE_ADDR="2001:db8::2").status_code == 302
    assert sign_in(Client(), REMOTE_ADDR="2001:db8:0:1::1").status_code == 429


@pytest.mark.parametrize(
    "typed", ["oper\x00ator", "\x00", "oper\x07ator", "oper\x85ator", "x" * 200, "ﷺ" * 150]
)
def test_name_that_no_database_holds_is_one_that_nobody_has(client, person, typed):
    person()

    answer = sign_in(client, typed, "operator-password")

    assert (answer.status_code, is_in(client)) == (200, False)
    assert recorded() == [("auth.login", "denied", NOBODY, MASKED)]


def test_lockout_goes_on_record_once(person):
    person()

    tried(14)

    assert recorded("auth.lockout") == [("auth.lockout", "denied", NOBODY, "operator")]
    assert len(recorded("auth.login")) == 10
    assert SignInTry.objects.count() == 11, "who goes on trying fills no table"


def test_another_person_and_the_same_one_from_elsewhere_get_in_meanwhile(person):
    person()
    person("viewer")
    tried(12)

    for name, address in (("viewer", ELSEWHERE), ("viewer", HERE), ("operator", ELSEWHERE)):
        assert sign_in(Client(), name, REMOTE_ADDR=address).status_code == 302


def test_name_tried_from_everywhere_still_gets_in_where_it_did_before(client, person):
    person()
    assert sign_in(client, REMOTE_ADDR="203.0.113.1").status_code == 302
    for number in range(50):
        tried(1, address=f"198.51.100.{number}")

    assert sign_in(Client(), REMOTE_ADDR=HERE).status_code == 429
    assert sign_in(Client(), REMOTE_ADDR="203.0.113.1").status_code == 302


def test_address_that_tries_many_names_is_held_back_where_nobody_is_known(person):
    person()
    for number in range(100):
        tried(1, name=f"guess{number}")

    assert sign_in(Client(), REMOTE_ADDR=HERE).status_code == 429
    assert sign_in(Client(), REMOTE_ADDR=ELSEWHERE).status_code == 302


def test_good_sign_in_forgets_what_was_mistyped(client, person):
    person()
    tried(9)
    sign_in(client, REMOTE_ADDR=HERE)

    assert tried(10).status_code == 200


def test_wait_is_over_after_its_time(person, monkeypatch):
    person()
    tried(11)
    later = timezone.now() + limits.WINDOW + timedelta(seconds=1)
    monkeypatch.setattr(limits.timezone, "now", lambda: later)

    assert sign_in(Client(), REMOTE_ADDR=HERE).status_code == 302
    assert not SignInTry.objects.exists()


# The second factor


@pytest.fixture
def with_factor(client, person):
    """A person with an authenticator app, who is signed out: (client, secret)."""
    person()
    sign_in(client)
    secret = with_app(client)
    client.post("/logout/")
    return client, secret


def test_password_alone_lets_nobody_in_who_has_a_second_factor(with_factor):
    client, secret = with_factor

    asked = sign_in(client, next="/audit/")

    assert asked["Location"] == "/login/second-factor/"
    assert not is_in(client)
    answer = client.post("/login/second-factor/", {"code": code_of(secret)})
    assert (answer.status_code, answer["Location"]) == (302, "/audit/")
    assert is_in(client)
    last = AuditEvent.objects.order_by("seq").last()
    assert (last.action, last.payload.after) == ("auth.login", {"by": "password, then authenticator app"})


def test_code_works_once(with_factor):
    client, secret = with_factor
    code = code_of(secret)
    sign_in(client)
    client.post("/login/second-factor/", {"code": code})
    client.post("/logout/")

    sign_in(client)
    again = client.post("/login/second-factor/", {"code": code})

    assert again.status_code == 200
    assert not is_in(client)


def test_wrong_codes_go_on_record_and_are_held_back(with_factor):
    client, secret = with_factor
    sign_in(client)

    answers = [client.post("/login/second-factor/", {"code": "x"}) for _ in range(6)]
    right = client.post("/login/second-factor/", {"code": code_of(secret)})

    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert right.status_code == 429
    assert 0 < int(right["Retry-After"]) <= 300
    assert recorded()[-2:] == [
        ("auth.login", "denied", NOBODY, "operator"),
        ("auth.lockout", "denied", NOBODY, "operator"),
    ]
    assert not is_in(client)


def test_recovery_code_lets_in_once(with_factor):
    client, secret = with_factor
    sign_in(client)
    client.post("/login/second-factor/", {"code": code_of(secret)})
    codes = confirmed(client, "/people/me/codes/").context["unused_codes"]
    client.post("/logout/")

    assert len(codes) == 10
    for is_let_in in (True, False):
        sign_in(client)
        client.post("/login/second-factor/", {"code": codes[0]})
        assert is_in(client) is is_let_in
        client.post("/logout/")


def test_what_was_typed_goes_along_through_the_second_factor(with_factor, sandbox, flow_sid):
    client, secret = with_factor
    path = f"/flows/{flow_sid}/edit/"
    sign_in(client)
    client.post("/login/second-factor/", {"code": code_of(secret)})
    form = {**form_data(client.get(path)), "friendly_name": "Plaintes Lyon"}
    Session.objects.all().delete()

    _, fields = form_with(client.post(path, form), "password")
    asked = sign_in(client, typed=fields["typed"])
    _, fields = form_with(asked, "code")
    wrong = client.post("/login/second-factor/", {"code": "x", "typed": fields["typed"]})
    _, fields = form_with(wrong, "code")
    again = client.post("/login/second-factor/", {"code": code_of(secret, step=1), "typed": fields["typed"]})

    action, kept = form_with(again, "edit_again")
    assert (action, kept["friendly_name"]) == (path, "Plaintes Lyon")
    assert "Plaintes" not in str([session.get_decoded() for session in Session.objects.all()])


def test_second_factor_that_cannot_be_recorded_is_not_set_up(client, person, unwritable):
    person()
    sign_in(client)
    secret = confirmed(client, "/people/me/app/add/").context["form"].secret
    unwritable()

    answer = client.post("/people/me/app/add/", {"code": code_of(secret)})

    assert answer.status_code == 503
    assert not User.objects.get().authenticator_set.exists()


def test_second_factors_go_on_record_as_they_come_and_go(with_factor):
    client, secret = with_factor
    sign_in(client)
    client.post("/login/second-factor/", {"code": code_of(secret)})

    confirmed(client, "/people/me/app/remove/")
    client.post("/people/me/app/remove/")

    assert recorded("auth.mfa") == [
        ("auth.mfa_add", "succeeded", "operator", "operator"),
        ("auth.mfa_remove", "succeeded", "operator", "operator"),
    ]
    assert not User.objects.get().authenticator_set.exists()


def test_secret_of_an_app_is_not_in_the_database(with_factor):
    _, secret = with_factor
    kept = [*User.objects.get().authenticator_set.values(), *AuditPayload.objects.values()]

    assert secret not in str(kept)


@pytest.mark.parametrize(
    "path",
    [
        "/signup/", "/accounts/signup/", "/login/signup/", "/password/reset/", "/people/me/email/", "/people/me/codes/download/",
        "/login/code/", "/login/cancelled/", "/people/me/passkeys/login/", "/login/sso/oidc/",
    ],
)  # fmt: skip
def test_pages_of_the_library_that_are_not_used_do_not_exist(client_of, path):
    assert client_of("admin").get(path).status_code == 404
