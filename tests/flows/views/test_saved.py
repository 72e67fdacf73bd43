"""Saved views: a person's own, of a question that lives in the address."""

import pytest

from flows.models import SavedView

pytestmark = pytest.mark.django_db


def names(page):
    return [view.name for view in page.context["views"]]


def test_view_is_kept_under_a_name_and_leads_back_to_it(client_of):
    client = client_of("viewer")

    answer = client.post(
        "/flows/views/", {"name": " VIP  numbers ", "query": "?q=vip&channel=sms&sort=-updated"}
    )

    assert answer.url == "/flows/?q=vip&channel=sms&sort=-updated"
    page = client.get(answer.url)
    assert names(page) == ["VIP numbers"]
    assert 'aria-current="true">VIP numbers' in page.content.decode()


def test_view_is_the_persons_own(client_of):
    client_of("viewer").post("/flows/views/", {"name": "Mine", "query": "q=a"})
    other = client_of("operator")

    assert names(other.get("/flows/")) == []
    view = SavedView.objects.get()
    assert other.post(f"/flows/views/{view.pk}/remove/").status_code == 404
    assert SavedView.objects.exists()


def test_same_name_replaces_and_forgetting_removes(client_of):
    client = client_of("viewer")
    client.post("/flows/views/", {"name": "A", "query": "q=a"})
    client.post("/flows/views/", {"name": "A", "query": "q=b"})

    (view,) = SavedView.objects.all()
    assert view.query == "q=b"
    client.post(f"/flows/views/{view.pk}/remove/")
    assert not SavedView.objects.exists()


def test_only_what_makes_sense_is_kept(client_of):
    client = client_of("viewer")

    client.post("/flows/views/", {"name": "A\x00", "query": "q=a&page=7&nonsense=1&channel=//evil.example"})
    answer = client.post("/flows/views/", {"name": "B", "query": "//evil.example/?x"})

    assert SavedView.objects.get(name="A").query == "q=a"
    assert answer.url == "/flows/"


@pytest.mark.parametrize("name", ["", "   ", "\x00"], ids=ascii)
def test_view_needs_a_name(client_of, name):
    client_of("viewer").post("/flows/views/", {"name": name, "query": "q=a"})

    assert not SavedView.objects.exists()


def test_views_are_bounded(client_of, person):
    client = client_of("viewer")
    for number in range(25):
        client.post("/flows/views/", {"name": f"V{number}", "query": "q=a"})

    assert SavedView.objects.count() == 20
    client.post("/flows/views/", {"name": "V0", "query": "q=b"})
    assert SavedView.objects.get(name="V0").query == "q=b"


def test_too_long_a_search_is_told(client_of):
    answer = client_of("viewer").post("/flows/views/", {"name": "A", "query": "q=" + "%F0%9F%98%80" * 150})

    assert not SavedView.objects.exists()
    assert answer.status_code == 302
