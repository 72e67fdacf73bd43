"""Links and forms of a flow's pages lead back to the same search, filters and page of the list."""

import pytest

from flows.flex_flows import list_links
from tests.markup import squeezed

pytestmark = pytest.mark.django_db
QUERY = "q=lyon&channel=sms&sort=-updated&page=2&size=25"
LIST = f"/flows/?{QUERY}".replace("&", "&amp;")
PARAMETER = "?list=q%3Dlyon%26channel%3Dsms%26sort%3D-updated%26page%3D2%26size%3D25"


def text(page):
    return squeezed(page.content.decode())


@pytest.fixture
def operator(client_of):
    return client_of("operator")


def come_from(path):
    return {"Referer": f"http://testserver{path}"}


def test_flow_opened_from_the_list_leads_back_to_its_place(operator, flow_sid):
    page = text(operator.get(f"/flows/{flow_sid}/", headers=come_from(f"/flows/?{QUERY}")))

    assert f'<p class="crumb"><a href="{LIST}">Flows</a>' in page
    for name in ("edit", "enabled", "delete", "code"):
        assert f'href="/flows/{flow_sid}/{name}/{PARAMETER}"' in page
    assert f'href="/flows/new/?clone={flow_sid}&amp;{PARAMETER[1:]}"' in page


@pytest.mark.parametrize("name", ["edit", "delete", "enabled"])
def test_form_keeps_the_place_while_it_is_sent(operator, flow_sid, name):
    url = f"/flows/{flow_sid}/{name}/"
    cancel = f'href="/flows/{flow_sid}/{PARAMETER}">Cancel</a>'

    opened = text(operator.get(url + PARAMETER))
    from_row = text(operator.get(url, headers=come_from(f"/flows/?{QUERY}")))
    with_errors = text(operator.post(url, {"list": QUERY, "enabled": "maybe"}))

    for page in (opened, from_row, with_errors):
        assert f'<a href="{LIST}">Flows</a>' in page
        assert cancel in page
        assert '<input type="hidden" name="list" value="q=lyon&amp;channel=sms' in page


def test_new_flow_can_be_cancelled_back_to_the_place(operator, flow_sid):
    page = text(operator.get("/flows/new/", headers=come_from(f"/flows/?{QUERY}")))

    assert f'href="{LIST}"> Cancel </a>' in page or f'href="{LIST}">Cancel</a>' in page


def test_deleted_flow_leads_back_to_the_place(operator, sandbox, flow_sid):
    form = operator.get(f"/flows/{flow_sid}/delete/{PARAMETER}").context["form"]
    data = {"confirm_name": "Réclamations Lyon", "change_id": form["change_id"].value()}

    answer = operator.post(f"/flows/{flow_sid}/delete/", {**data, "list": QUERY})

    assert (answer.status_code, answer.url) == (302, f"/flows/?{QUERY}")


def test_saved_flow_keeps_the_place(operator, sandbox, flow_sid):
    form = operator.get(f"/flows/{flow_sid}/enabled/{PARAMETER}").context["form"]
    data = {name: form[name].value() for name in ("change_id", "enabled")}

    answer = operator.post(f"/flows/{flow_sid}/enabled/", {**data, "list": QUERY})

    assert (answer.status_code, answer.url) == (302, f"/flows/{flow_sid}/{PARAMETER}")


@pytest.mark.parametrize(
    "referrer",
    [
        "",
        "http://testserver/flows/",
        f"http://testserver/audit/?{QUERY}",
        f"http://evil.example/flows/?{QUERY}",
        "http://[testserver/flows/?q=a",
        "http://testserver/flows/?" + "q=" + "a" * list_links.MAX_QUERY_LENGTH,
    ],
)
def test_other_page_leads_to_the_whole_list(operator, flow_sid, referrer):
    page = text(operator.get(f"/flows/{flow_sid}/", headers={"Referer": referrer}))

    assert '<p class="crumb"><a href="/flows/">Flows</a>' in page
    assert f'href="/flows/{flow_sid}/edit/"' in page


@pytest.mark.parametrize("value", ["//evil.example/", "javascript:alert(1)", "next=//evil.example"])
def test_only_parameters_of_the_list_are_kept(operator, flow_sid, value):
    page = text(operator.get(f"/flows/{flow_sid}/", {"list": value}))

    assert '<p class="crumb"><a href="/flows/">Flows</a>' in page
    assert "evil.example" not in page


def test_dialog_over_the_list_has_the_plain_address_of_its_row(operator, flow_sid):
    """The script finds the row again by this address."""
    headers = {**come_from(f"/flows/?{QUERY}"), "HX-Request": "true"}

    page = text(operator.get(f"/flows/{flow_sid}/enabled/", headers=headers))

    assert f'hx-post="/flows/{flow_sid}/enabled/"' in page
