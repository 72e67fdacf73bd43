"""Plugin releases: what runs now, what changed between two, and the way back."""

import html

import pytest
from django.urls import reverse

from flows.twilio.sandbox.faults import Fault, FaultKind
from flows.twilio.sandbox.named_bodies import make_sid
from tests.conftest import form_data
from tests.flows.resources.conftest import RESOURCES, common, sent

pytestmark = pytest.mark.django_db(transaction=True)
SPRING, SUMMER, AUTUMN = (make_sid("FK", name) for name in ("Spring", "Summer", "Autumn"))


def release_page(client, sid, **query):
    return client.get(reverse("flex:plugin_release", kwargs={"sid": sid}), query)


def configuration_page(client, name):
    sid = make_sid("FJ", name)
    return client.get(reverse("flex:plugin_configuration", kwargs={"sid": sid}))


def changes(page):
    return {one.unique_name: (one.before, one.after) for one in page.context["plugin_changes"]}


def test_list_names_the_configurations(client_of, sandbox, flow_on):
    page = client_of("viewer").get(reverse("flex:plugin_release-list"))

    assert [row.cells[0].name for row in page.context["rows"]] == ["Autumn", "Summer", "Spring"]


def test_release_is_compared_with_the_one_before(client_of, sandbox, flow_on):
    page = release_page(client_of("viewer"), AUTUMN)

    assert page.context["is_active"]
    assert page.context["compared_sid"] == SUMMER
    assert changes(page) == {
        "plugin-customer-card": ("0.9.0", "1.0.0"),
        "plugin-supervisor-notes": ("", "1.0.0"),
        "plugin-callbacks": ("1.1.0", "1.1.0"),
    }


def test_release_is_compared_with_any_other(client_of, sandbox, flow_on):
    page = release_page(client_of("viewer"), AUTUMN, compare=SPRING)

    assert changes(page)["plugin-old-dialpad"] == ("3.2.1", "")
    assert changes(page)["plugin-callbacks"] == ("1.0.0", "1.1.0")


def test_oldest_release_has_only_new_plugins(client_of, sandbox, flow_on):
    page = release_page(client_of("viewer"), SPRING)

    assert page.context["compared_sid"] == ""
    assert {before for before, _ in changes(page).values()} == {""}


@pytest.mark.parametrize("compare", ["FK1", "' OR 1=1", AUTUMN])
def test_unknown_release_to_compare_with_is_the_one_before(client_of, sandbox, flow_on, compare):
    assert release_page(client_of("viewer"), AUTUMN, compare=compare).context["compared_sid"] == (
        SUMMER
    )


def test_configuration_says_whether_it_runs(client_of, sandbox, flow_on):
    client = client_of("admin")

    active, other = (configuration_page(client, name) for name in ("Autumn", "Spring"))

    assert (active.context["is_active"], active.context["release_url"]) == (True, "")
    assert not other.context["is_active"]
    assert "Release this configuration" in other.content.decode()
    assert "plugin-old-dialpad" in other.content.decode()


def test_rollback_releases_an_older_configuration(client_of, sandbox, flow_on):
    client = client_of("admin")
    form = client.get(configuration_page(client, "Summer").context["release_url"])

    client.post(reverse("flex:plugin_release-new"), {**form_data(form), **common()})

    newest = next(iter(sandbox.store_of(RESOURCES["plugin_release"]).snapshot().values()))
    assert newest["configuration_sid"] == make_sid("FJ", "Summer")
    assert configuration_page(client, "Summer").context["is_active"]
    assert sent(sandbox)[-1][2] == {"ConfigurationId": make_sid("FJ", "Summer")}


def test_archived_configuration_is_not_offered_for_release(client_of, sandbox, flow_on):
    sandbox.store_of(RESOURCES["plugin_configuration"]).archive(make_sid("FJ", "Spring"))

    page = configuration_page(client_of("admin"), "Spring")

    assert (page.context["release_url"], page.context["archive_url"]) == ("", "")


def test_releases_that_cannot_be_read_take_nothing_else_along(client_of, sandbox, flow_on):
    sandbox.inject(Fault(FaultKind.SERVER_ERROR, path="/PluginService/Releases", times=None))

    page = configuration_page(client_of("viewer"), "Spring")

    assert page.status_code == 200
    assert "Couldn’t read the releases from Twilio" in html.unescape(page.content.decode())
    assert "plugin-old-dialpad" in page.content.decode()


def test_versions_are_on_the_page_of_their_plugin(client_of, sandbox, flow_on):
    url = reverse("flex:plugin", kwargs={"sid": make_sid("FP", "plugin-callbacks")})

    page = client_of("viewer").get(url)

    (versions,) = page.context["children"]
    assert [row.title for row in versions["rows"]] == ["2.0.0", "1.1.0", "1.0.0"]
