"""The page with the list of flows: its cost, and searches with many results."""

import re
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from flows.mirror import flow_rows
from flows.mirror.models import Flow
from flows.search import flow_search
from tests.markup import squeezed

HTMX = {"hx-request": "true"}
AC = "AC" + "5a" * 16


def fill(count, name="Line"):
    flow_rows.save_snapshots(
        {
            f"FO{number:032}": {
                "sid": f"FO{number:032}",
                "friendly_name": f"{name} {number}",
                "channel_type": "sms",
                "contact_identity": f"+1415555{number:04}",
                "enabled": True,
                "integration_type": "studio",
            }
            for number in range(count)
        },
        AC,
    )


@pytest.mark.parametrize(
    "address",
    [
        "/flows/",
        "/flows/?q=line",
        "/flows/?q=l",
        "/flows/?page=2&sort=-updated",
        "/flows/?channel=sms",
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_more_flows_cost_no_more_queries_and_no_call(client_of, sandbox, address, headers):
    client = client_of("admin")
    fill(3)
    queries(client, address, headers)  # a process asks some things once
    few = queries(client, address, headers)
    fill(400)

    assert queries(client, address, headers) == few
    assert len(sandbox.requests) == 0


def queries(client, address, headers):
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address, headers=headers).status_code == 200
    return len(captured)


def test_search_that_finds_many_says_that_there_may_be_more(client_of, sandbox, monkeypatch):
    monkeypatch.setattr(flow_search, "COUNT_LIMIT", 60)
    fill(70)

    page = squeezed(client_of("operator").get("/flows/?q=line").content.decode())

    assert '<p id="count">1 to 50 of 60+ flows</p>' in page
    assert "Select all 60+ matching flows" in page
    assert "SMS (61+)" in page
    swap = client_of("operator").get("/flows/?q=line", headers={"HX-Request": "true"})
    assert "&quot;&quot;:&quot;0+&quot;" in swap.content.decode()
    assert "&quot;sms&quot;:&quot;61+&quot;" in swap.content.decode()


def test_last_page_of_such_a_search_knows_how_many_there_are(client_of, sandbox, monkeypatch):
    monkeypatch.setattr(flow_search, "COUNT_LIMIT", 60)
    fill(70)

    page = squeezed(client_of("operator").get("/flows/?q=line&page=2").content.decode())

    assert '<p id="count">51 to 70 of 70 flows</p>' in page
    assert 'rel="next"' not in page


def test_rows_show_whatever_a_flow_is_called_as_text(client_of, sandbox):
    fill(1, name="<b>&\"'{0}{}%s\u202e")
    Flow.objects.update(
        channel_type="<i>",
        contact_identity="a:<u>",
        integration_type="<s>",
        resource={"integration_type": "<s>"},
    )

    page = client_of("admin").get("/flows/").content.decode()

    assert (
        '&lt;b&gt;&amp;&quot;&#x27;{0}{}%s<span class="hidden-character">⟨U+202E⟩</span> 0</a>'
        in page
    )
    assert "<td>&lt;i&gt;</td>" in page
    assert ">a:&lt;u&gt;</td>" in page
    assert '<td data-label="Handled by">&lt;s&gt;</td>' in page
    assert 'title="&lt;b&gt;&amp;&quot;&#x27;{0}{}%s⟨U+202E⟩ 0"' in page


def test_text_that_may_be_cut_off_is_whole_in_a_tooltip(client_of, sandbox):
    fill(2)
    identity = "messenger:1111132355501001"
    Flow.objects.filter(sid__endswith="1").update(
        channel_type="facebook",
        contact_identity=identity,
        date_updated=datetime(2026, 8, 27, 6, 32, tzinfo=UTC),
    )

    short_row, long_row = rows(client_of("viewer").get("/flows/"))

    assert 'title="Line 1"' in long_row
    assert '<td title="Facebook Messenger">Facebook Messenger</td>' in long_row
    assert f'title="{identity}">{identity}</td>' in long_row
    assert 'title="27 Aug 2026, 06:32 UTC"><time>27 Aug 2026, 06:32 UTC</time>' in long_row
    assert "<td>SMS</td>" in short_row


def test_notes_about_a_flow_are_one_mark_with_every_sentence(client_of, sandbox):
    fill(2)
    Flow.objects.filter(sid__endswith="1").update(
        gone_at=timezone.now(), resource={"integration_type": "external", "channel_type": "sms"}
    )

    (row,) = rows(client_of("viewer").get("/flows/?enabled=gone"))

    assert row.count('class="flag"') == 1
    (title,) = re.findall('class="flag" role="img" title="([^"]*)"', row)
    assert title.split("&#10;")[:2] == [
        "Deleted at Twilio",
        "Webhook URL is missing. Messages can&#x27;t be handled without it.",
    ]


def test_page_size_is_chosen_by_a_link_that_keeps_the_query_and_the_first_row(client_of, sandbox):
    fill(120)
    client = client_of("viewer")

    page = client.get("/flows/?q=line&size=25&page=3")

    assert len(rows(page)) == 25
    assert page.context["results"].sizes == [
        (25, "?q=line&page=3&size=25"),
        (50, "?q=line&page=2"),
        (100, "?q=line&size=100"),
    ]
    text = squeezed(page.content.decode())
    assert '<input type="hidden" name="size" value="25" form="filters">' in text
    assert page.context["results"].next_url == "?q=line&page=4&size=25"
    assert len(rows(client.get("/flows/?size=100"))) == 100


def test_short_list_has_no_choice_of_page_sizes(client_of, sandbox):
    fill(25)

    page = client_of("viewer").get("/flows/").content.decode()

    assert "Rows per page" not in page


def rows(page):
    body = page.content.decode().split("<tbody>")[1].split("</tbody>")[0]
    return body.strip().split("\n")
