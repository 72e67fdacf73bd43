"""The frame of every page: its numbers in sentences, its user and its account."""

import re

import pytest
from django.contrib.auth.models import Group, User
from django.template import Context, Template

from flexadmin.http.context_processors import LazyNumber
from flexadmin.models import AccountRole
from flows.mirror.sync import sync_account
from tests import ACCOUNT

EVERY_PLURALIZE = "{{ n }} flow{{ n|pluralize }}, {{ n|pluralize:'is,are' }}"


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 flows, are"), (1, "1 flow, is"), (2, "2 flows, are"), (3, "3 flows, are")],
)
@pytest.mark.parametrize(
    "kind", [int, lambda number: LazyNumber(lambda: number)], ids=["a number", "looked up later"]
)
def test_lazy_number_is_pluralized(kind, number, words):
    assert Template(EVERY_PLURALIZE).render(Context({"n": kind(number)})) == words


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("drifted", "text"), [(0, ""), (1, "1 flow to review"), (3, "3 flows to review")]
)
def test_screen_reader_hears_how_many_flows_were_changed_elsewhere(
    sandbox, client_of, drifted, text
):
    sids = [sandbox.add_flow() for _ in range(3)]
    sync_account(ACCOUNT)
    for sid in sids[:drifted]:
        sandbox.edit_flow(sid, friendly_name="Changed")
    sync_account(ACCOUNT)

    page = client_of("viewer").get("/audit/").content.decode()

    link = re.search(r'<a href="/flows/drift/".*?</a>', page, re.DOTALL)[0]
    link_text = " ".join(re.sub(r"<[^>]+>", "", link).split())
    assert link_text == ("External changes" + (f" : {text}" if text else ""))


@pytest.mark.django_db
def test_role_in_the_header_begins_with_a_capital(client_of):
    page = client_of("viewer").get("/people/me/").content.decode()

    assert '<span class="role">Viewer</span>' in page


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/flows/", "/audit/", "/people/me/"])
def test_user_of_one_account_sees_its_name_in_the_header(client_of, staging, path):
    of_staging = client_of("operator", "nina", staging.account_sid).get(path)
    of_both = client_of("viewer").get(path)

    accounts = [
        re.search(r'<span class="account".*?</header>', page.content.decode(), re.DOTALL)[0]
        for page in (of_staging, of_both)
    ]
    assert ["staging" in html for html in accounts] == [True, True]
    assert ["All accounts" in html for html in accounts] == [False, True]
    assert of_staging.context["account"].name == "staging"
    assert of_both.context["account"] is None


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/flows/", "/flows/?account=AC" + "9" * 32])
@pytest.mark.parametrize("has_two_accounts", [True, False])
def test_account_that_was_removed_is_not_shown_as_the_other_one(
    client_of, request, path, has_two_accounts
):
    if has_two_accounts:
        request.getfixturevalue("staging")
    client = client_of("operator", "nina", ACCOUNT)
    AccountRole.objects.create(
        person=User.objects.get(username="nina"),
        account_sid="AC" + "9" * 32,
        role=Group.objects.get(name="viewer"),
    )

    page = client.get(path)

    assert page.context["account"] is None
