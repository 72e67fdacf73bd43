"""The state of Flex on the overview, and what a new flow's form takes from the configuration."""

import html

import pytest
from django.urls import reverse

from flows.resources import flex_status
from flows.twilio.flex.configuration import CONFIGURATION
from flows.twilio.flex.plugin_release import PLUGIN_RELEASE
from flows.twilio.flex.provision_status import PROVISION_STATUS
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.conftest import form_data

pytestmark = pytest.mark.django_db
STATUS_URL = "/flex/status/"


def text_of(response):
    return html.unescape(response.content.decode())


def test_overview_loads_the_state_afterwards(client_of, sandbox, flow_on):
    viewer = client_of("viewer")

    page = viewer.get(reverse("home"))
    part = viewer.get(STATUS_URL, headers={"HX-Request": "true"})

    assert f'hx-get="{STATUS_URL}"' in text_of(page)
    assert "<html" not in text_of(part)
    assert "Set up" in text_of(part)
    assert "Autumn" in text_of(part)
    (release, *_) = sandbox.store_of(PLUGIN_RELEASE).snapshot()
    assert f"/flex/plugin-releases/{release}/" in text_of(part)


def test_state_is_a_page_of_its_own_without_scripts(client_of, sandbox, flow_on):
    assert "<html" in text_of(client_of("viewer").get(STATUS_URL))


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("in-progress", "Being set up"),
        ("not-configured", "Not set up"),
        ("failed", "Set-up failed"),
        ("paused", "paused"),
    ],
)
def test_each_state_has_its_words(client_of, sandbox, flow_on, status, words):
    sandbox.store_of(PROVISION_STATUS).edit(ACCOUNT, {"status": status})

    assert words in text_of(client_of("viewer").get(STATUS_URL))


def test_account_that_never_released_says_so(client_of, sandbox, flow_on):
    store = sandbox.store_of(PLUGIN_RELEASE)
    for sid in list(store.snapshot()):
        store.delete(sid)

    assert "No plugins were ever released." in text_of(client_of("viewer").get(STATUS_URL))


def test_failing_twilio_is_said_in_its_place(client_of, sandbox, flow_on):
    sandbox.inject(Fault(FaultKind.REFUSE, path="/PluginService/*", status=403, times=None))

    page = client_of("viewer").get(STATUS_URL)

    assert page.status_code == 200
    assert "Set up" in text_of(page)
    assert "Couldn’t read all of it from Twilio" in text_of(page)


def test_slow_twilio_is_not_asked_about_each_account(client_of, sandbox, flow_on, monkeypatch):
    monkeypatch.setattr(flex_status, "MAX_SECONDS", -1.0)
    asked = len(sandbox.requests)

    page = client_of("viewer").get(STATUS_URL)

    assert "Twilio took too long with the other accounts" in text_of(page)
    assert len(sandbox.requests) == asked


def test_state_is_read_once_a_minute(client_of, sandbox, flow_on):
    viewer = client_of("viewer")
    viewer.get(STATUS_URL)
    asked = len(sandbox.requests)

    assert "Autumn" in text_of(viewer.get(STATUS_URL))
    assert len(sandbox.requests) == asked


def test_plugins_are_shown_even_if_the_set_up_is_not(client_of, sandbox, flow_on):
    sandbox.inject(Fault(FaultKind.REFUSE, path="/account/*", status=403, times=None))

    page = text_of(client_of("viewer").get(STATUS_URL))

    assert "Autumn" in page
    assert "Couldn’t read all of it from Twilio" in page


class TestDefaultsOfANewFlow:
    def test_form_begins_with_the_settings_of_flex(self, client_of, sandbox, flow_on):
        settings = sandbox.store_of(CONFIGURATION).snapshot()[ACCOUNT]

        page = client_of("operator").get("/flows/new/")

        values = form_data(page)
        assert values["chat_service_sid"] == settings["chat_service_instance_sid"]
        assert values["integration_workspace_sid"] == settings["taskrouter_workspace_sid"]
        assert values["integration_workflow_sid"] == settings["taskrouter_target_workflow_sid"]
        assert "begin with those of this account’s Flex configuration" in text_of(page)

    def test_clone_keeps_the_values_of_its_original(self, client_of, sandbox, flow_on):
        own = "IS" + "7" * 32
        sandbox.edit_flow(flow_on, chat_service_sid=own)

        page = client_of("operator").get("/flows/new/", {"clone": flow_on})

        assert form_data(page)["chat_service_sid"] == own
        assert "Flex configuration" not in text_of(page)

    @pytest.mark.parametrize("kind", [FaultKind.SERVER_ERROR, FaultKind.HTML_OK])
    def test_form_begins_empty_if_twilio_fails(self, client_of, sandbox, flow_on, kind):
        sandbox.inject(Fault(kind, path="/Configuration", times=None))

        page = client_of("operator").get("/flows/new/")

        assert page.status_code == 200
        assert form_data(page)["chat_service_sid"] == ""
        assert "Flex configuration" not in text_of(page)

    def test_setting_of_another_kind_is_no_default(self, client_of, sandbox, flow_on):
        sandbox.store_of(CONFIGURATION).edit(
            ACCOUNT, {"chat_service_instance_sid": "n/a", "taskrouter_workspace_sid": None}
        )

        values = form_data(client_of("operator").get("/flows/new/"))

        assert values["chat_service_sid"] == ""
        assert not values.get("integration_workspace_sid")
