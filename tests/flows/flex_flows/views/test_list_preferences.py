"""Columns and density of the list of flows, which each user chooses for themselves."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flows.audit.models import AuditEvent
from flows.flex_flows.models import ListPreferences
from tests.markup import squeezed

pytestmark = pytest.mark.django_db

ALL = ["channel", "identity", "integration", "enabled", "updated"]


def save(client, *columns, density="comfortable", **options):
    form = {"column": columns, "density": density}
    return client.post("/flows/list-view/", form, **options)


def table(client, query=""):
    html = squeezed(client.get(f"/flows/{query}").content.decode())
    return html.split("<table")[1].split("</table>")[0]


def headings(client, query=""):
    return [column["key"] for column in client.get(f"/flows/{query}").context["columns"]]


def test_hidden_columns_are_not_in_the_page(client_of, flow_sid):
    client = client_of("viewer")

    assert save(client, "channel", "enabled").status_code == 302

    assert headings(client) == ["name", "channel", "enabled"]
    html = table(client)
    assert "Réclamations Lyon" in html
    assert "+33199000123" not in html
    assert "Studio Flow" not in html
    assert html.count("<td") == 2


def test_name_is_always_shown_and_everything_is_by_default(client_of, flow_sid):
    client = client_of("viewer")
    assert headings(client) == ["name", *ALL]

    save(client)

    assert headings(client) == ["name"]
    assert "Réclamations Lyon" in table(client)


def test_column_that_sorts_the_list_is_shown(client_of, flow_sid):
    client = client_of("viewer")
    save(client, "channel")

    assert headings(client, "?sort=-updated") == ["name", "channel", "updated"]


def test_preferences_belong_to_one_user_and_are_no_event(client_of, flow_sid):
    save(client_of("viewer"), "channel", density="compact")
    other = client_of("operator")

    assert headings(other) == ["name", *ALL]
    assert 'class="cards flows"' in table(other)
    assert 'class="cards flows compact"' in table(client_of("viewer"))
    assert not AuditEvent.objects.filter(actor_label="viewer").exists()


def test_fragment_of_htmx_has_the_same_columns(client_of, flow_sid):
    client = client_of("viewer")
    save(client, "channel")

    page = client.get("/flows/?q=lyon", headers={"HX-Request": "true"})

    assert [column["key"] for column in page.context["columns"]] == ["name", "channel"]


def test_form_shows_what_is_chosen(client_of, flow_sid):
    client = client_of("viewer")
    save(client, "channel", density="compact")

    html = client.get("/flows/").content.decode()

    assert 'name="column" value="channel" checked' in html
    assert 'name="column" value="identity">' in html
    assert 'name="density" value="compact" checked' in html


def test_unknown_values_are_ignored(client_of, flow_sid):
    client = client_of("viewer")

    save(client, "channel", "name", "<b>", density="huge")

    preferences = ListPreferences.objects.get(person=User.objects.get(username="viewer"))
    assert preferences.hidden_columns == ["enabled", "identity", "integration", "updated"]
    assert preferences.density == "comfortable"


def test_column_that_was_not_offered_stays_hidden(client_of, staging, flow_sid):
    client = client_of("viewer")
    save(client, "channel")
    assert "account" in ListPreferences.objects.get().hidden_columns

    assert headings(client) == ["name", "channel"]


def test_form_leads_back_to_the_search(client_of, flow_sid):
    answer = save(
        client_of("viewer"),
        *ALL,
        headers={"Referer": "http://testserver/flows/?q=lyon&sort=-updated"},
    )

    assert answer["Location"] == "/flows/?q=lyon&sort=-updated"


def test_preferences_take_no_query(client_of, flow_sid):
    client = client_of("viewer")
    client.get("/flows/")
    with CaptureQueriesContext(connection) as before:
        client.get("/flows/")
    save(client, "channel", density="compact")

    with CaptureQueriesContext(connection) as after:
        client.get("/flows/")

    assert len(after) == len(before)
