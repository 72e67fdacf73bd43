"""Saved views: a user's named queries of the flow list."""

import pytest
from django.contrib.auth.models import User

from flows.mirror.sync import sync_account
from flows.search.models import SavedView
from tests import ACCOUNT
from tests.markup import squeezed

pytestmark = pytest.mark.django_db


def names(page):
    return [view.name for view in page.context["views"]]


def test_view_is_saved_under_a_name_and_shown_as_current(client_of):
    client = client_of("viewer")

    answer = client.post(
        "/flows/views/",
        {"name": " VIP  numbers ", "query": "?q=vip&channel=sms&sort=-updated&size=25"},
    )

    assert answer.url == "/flows/?q=vip&channel=sms&sort=-updated&size=25"
    page = client.get(answer.url)
    assert names(page) == ["VIP numbers"]
    assert 'aria-current="true">VIP numbers' in squeezed(page.content.decode())


def test_view_belongs_to_its_user(client_of):
    client_of("viewer").post("/flows/views/", {"name": "Mine", "query": "q=a"})
    other = client_of("operator")

    assert names(other.get("/flows/")) == []
    view = SavedView.objects.get()
    assert other.post(f"/flows/views/{view.pk}/remove/").status_code == 404
    assert SavedView.objects.exists()


def test_same_name_replaces_a_view_and_delete_removes_it(client_of):
    client = client_of("viewer")
    client.post("/flows/views/", {"name": "A", "query": "q=a"})
    client.post("/flows/views/", {"name": "A", "query": "q=b"})

    (view,) = SavedView.objects.all()
    assert view.query == "q=b"
    client.post(f"/flows/views/{view.pk}/remove/")
    assert not SavedView.objects.exists()


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("q=a&channel=//evil.example", "“//evil.example” is not a channel of any flow."),
        ("q=a&nonsense=1", "There is no filter called “nonsense”."),
        ("//evil.example/?x=1", "There is no filter called “//evil.example/?x”."),
    ],
)
def test_view_of_an_invalid_query_is_not_saved(client_of, query, says):
    client = client_of("viewer")

    answer = client.post("/flows/views/", {"name": "A", "query": query}, follow=True)

    assert not SavedView.objects.exists()
    assert answer.redirect_chain[0][0].startswith("/flows/?")
    assert f"Couldn&#x27;t save the view. {says}" in answer.content.decode()


def test_view_is_saved_without_the_page_number(client_of):
    client_of("viewer").post("/flows/views/", {"name": "A\x00", "query": "q=a&page=7"})

    assert SavedView.objects.get(name="A").query == "q=a"


def test_view_of_an_unknown_channel_finds_nothing_and_reports_it(client_of, person, sandbox):
    sandbox.add_flow(channel_type="sms")
    sync_account(ACCOUNT)
    client = client_of("viewer")
    SavedView.objects.create(
        person=User.objects.get(username="viewer"), name="Old", query="channel=fax"
    )

    page = client.get("/flows/?channel=fax")

    assert page.context["results"].total == 0
    assert "“fax” is not a channel of any flow." in page.content.decode()
    assert 'aria-current="true">Old' in squeezed(page.content.decode())


@pytest.mark.parametrize("name", ["", "   ", "\x00"], ids=ascii)
def test_view_needs_a_name(client_of, name):
    client_of("viewer").post("/flows/views/", {"name": name, "query": "q=a"})

    assert not SavedView.objects.exists()


def test_number_of_views_is_limited(client_of, person):
    client = client_of("viewer")
    for number in range(25):
        client.post("/flows/views/", {"name": f"V{number}", "query": "q=a"})

    assert SavedView.objects.count() == 20
    client.post("/flows/views/", {"name": "V0", "query": "q=b"})
    assert SavedView.objects.get(name="V0").query == "q=b"


def test_too_long_search_is_not_saved(client_of):
    answer = client_of("viewer").post(
        "/flows/views/", {"name": "A", "query": "q=" + "%F0%9F%98%80" * 150}
    )

    assert not SavedView.objects.exists()
    assert answer.status_code == 302
