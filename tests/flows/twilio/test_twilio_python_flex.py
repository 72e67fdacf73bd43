"""Twilio's own Python client with the Flex resources of the sandbox, beside Flex Flows.

Addresses, which are a resource of Twilio Conversations, are in `test_twilio_python_addresses`.
"""

import json
from types import SimpleNamespace

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from flows.twilio.flex_resources import FLEX_RESOURCES
from flows.twilio.sandbox.server import Sandbox

LISTS = {
    "channel": lambda flex: flex.channel,
    "web_channel": lambda flex: flex.web_channel,
    "questionnaire": lambda flex: flex.insights_questionnaires,
    "plugin": lambda flex: flex.plugins,
    "plugin_configuration": lambda flex: flex.plugin_configurations,
    "plugin_release": lambda flex: flex.plugin_releases,
    "question": lambda flex: flex.insights_questionnaires_question,
    "question_category": lambda flex: flex.insights_questionnaires_category,
}
every_list = pytest.mark.parametrize("name", LISTS)


@pytest.fixture
def sandbox():
    with Sandbox(flows=120) as started_sandbox:
        yield started_sandbox


@pytest.fixture
def flex(sandbox):
    http = TwilioHttpClient()
    client = Client(sandbox.api_key, sandbox.api_secret, sandbox.account_sid, http_client=http)
    client.flex_api.base_url = sandbox.url.removesuffix("/v1")
    yield client.flex_api.v1
    http.session.close()


@pytest.fixture
def flow_sid(sandbox):
    return next(sid for sid, flow in sandbox.flows.items() if flow["enabled"])


def store_of(sandbox, name):
    (resource,) = (one for one in FLEX_RESOURCES if one.name == name)
    return sandbox.store_of(resource)


def sid_of(one, name):
    (resource,) = (each for each in FLEX_RESOURCES if each.name == name)
    return getattr(one, resource.sid_field)


def test_all_flex_resources_are_covered():
    listed = {
        resource.name
        for resource in FLEX_RESOURCES
        if "list" in resource.operations and resource.product == "flex-api"
    }
    assert LISTS.keys() == listed


@every_list
def test_list_of_several_pages_passes(sandbox, flex, name):
    options = {"include_inactive": True} if name == "questionnaire" else {}

    objects = LISTS[name](flex).list(page_size=2, **options)

    sids = list(store_of(sandbox, name).snapshot())
    assert [sid_of(one, name) for one in objects] == sids
    assert len(sandbox.requests) == -(-len(sids) // 2) > 1


def test_list_of_questionnaires_has_only_active_ones_by_default(flex):
    active = flex.insights_questionnaires.list()
    every = flex.insights_questionnaires.list(include_inactive=True)

    assert [one.active for one in active] == [True, True, True]
    assert len(every) == 4


def test_channel_is_created_fetched_and_deleted(sandbox, flex, flow_sid):
    made = flex.channel.create(
        flex_flow_sid=flow_sid,
        identity="ana",
        chat_user_friendly_name="Ana",
        chat_friendly_name="Chat with Ana",
        pre_engagement_data=json.dumps({"question": "Where is my parcel?"}),
        long_lived=False,
    )

    fetched = flex.channel(made.sid).fetch()

    assert (fetched.flex_flow_sid, fetched.sid) == (flow_sid, made.sid)
    assert fetched.user_sid.startswith("US")
    assert fetched.task_sid is None
    assert "identity" not in store_of(sandbox, "channel").snapshot()[made.sid]
    assert flex.channel(made.sid).delete()
    assert made.sid not in store_of(sandbox, "channel").snapshot()


def test_channel_of_a_missing_flow_is_refused(flex):
    with pytest.raises(TwilioRestException) as excinfo:
        flex.channel.create("FO" + "0" * 32, "ana", "Ana", "Chat with Ana")

    assert (excinfo.value.status, excinfo.value.code) == (400, 45205)


def test_web_channel_is_created_ended_and_deleted(sandbox, flex, flow_sid):
    made = flex.web_channel.create(flow_sid, "ana", "Ana", "Chat with Ana")

    ended = flex.web_channel(made.sid).update(chat_status="inactive", post_engagement_data="{}")

    assert (ended.sid, ended.flex_flow_sid) == (made.sid, flow_sid)
    assert flex.web_channel(made.sid).fetch().sid == made.sid
    assert flex.web_channel(made.sid).delete()
    with pytest.raises(TwilioRestException):
        flex.web_channel(made.sid).fetch()


def test_questionnaire_is_created_changed_and_deleted(flex):
    questions = [one.question_sid for one in flex.insights_questionnaires_question.list()[:2]]
    made = flex.insights_questionnaires.create("Quick check", question_sids=questions)

    changed = flex.insights_questionnaires(made.questionnaire_sid).update(
        active=False, description="For new agents", question_sids=questions[:1]
    )

    assert made.active is True
    assert [one["question_sid"] for one in made.questions] == questions
    assert (changed.name, changed.active) == ("Quick check", False)
    assert [one["question_sid"] for one in changed.questions] == questions[:1]
    assert changed.questions[0]["question"]
    assert flex.insights_questionnaires(made.questionnaire_sid).fetch().description
    assert flex.insights_questionnaires(made.questionnaire_sid).delete()


def test_update_of_a_questionnaire_without_its_status_is_refused(sandbox, flex):
    sid = next(iter(store_of(sandbox, "questionnaire").snapshot()))

    with pytest.raises(TwilioRestException) as excinfo:
        flex.insights_questionnaires(sid).update(active=None, name="Renamed")

    assert excinfo.value.code == 20001
    assert "Active" in excinfo.value.msg


def test_plugin_is_created_changed_and_archived(flex):
    made = flex.plugins.create("plugin-new", friendly_name="New", description="Just made")

    changed = flex.plugins(made.sid).update(friendly_name="Newer")
    archived = flex.plugin_archive(made.sid).update()

    assert (made.archived, made.unique_name) == (False, "plugin-new")
    assert (changed.friendly_name, changed.description) == ("Newer", "Just made")
    assert archived.archived is True
    assert flex.plugins(made.sid).fetch().archived is True


def test_versions_of_a_plugin_are_read(flex):
    plugin = next(one for one in flex.plugins.list() if one.unique_name == "plugin-callbacks")

    versions = flex.plugins(plugin.sid).plugin_versions.list()

    assert [version.version for version in versions] == ["2.0.0", "1.1.0", "1.0.0"]
    fetched = flex.plugins(plugin.sid).plugin_versions(versions[0].sid).fetch()
    assert fetched.plugin_sid == plugin.sid


def test_version_of_a_plugin_is_created_used_and_archived(flex):
    plugin = next(one for one in flex.plugins.list() if one.unique_name == "plugin-callbacks")

    made = flex.plugins(plugin.sid).plugin_versions.create(
        "3.0.0", "https://plugins.example.com/3.js", changelog="All of it", private=True
    )
    configuration = flex.plugin_configurations.create(
        "Winter", plugins=[{"plugin_version": made.sid, "phase": 2}]
    )
    archived = flex.plugin_version_archive(plugin.sid, made.sid).update()

    assert (made.version, made.plugin_sid, made.archived) == ("3.0.0", plugin.sid, False)
    assert archived.archived is True
    (configured,) = flex.plugin_configurations(configuration.sid).plugins.list()
    assert (configured.version, configured.phase) == ("3.0.0", 2)


def test_configuration_is_created_released_and_archived(flex):
    plugin = next(one for one in flex.plugins.list() if one.unique_name == "plugin-callbacks")
    version = flex.plugins(plugin.sid).plugin_versions.list()[0]

    made = flex.plugin_configurations.create(
        "Winter", plugins=[{"plugin_version": version.sid, "phase": 3}], description="Cold"
    )
    release = flex.plugin_releases.create(configuration_id=made.sid)
    archived = flex.plugin_configuration_archive(made.sid).update()

    (configured,) = flex.plugin_configurations(made.sid).plugins.list()
    assert (configured.version, configured.plugin_sid) == ("2.0.0", plugin.sid)
    assert flex.plugin_releases.list(limit=1)[0].sid == release.sid
    assert archived.archived is True


def test_configuration_is_fetched_and_changed(sandbox, flex):
    before = flex.configuration().fetch()

    body = {"account_sid": sandbox.account_sid, "ui_language": "fr-FR"}
    after = flex.configuration().update(body=SimpleNamespace(to_dict=lambda: body))

    assert (before.status, before.ui_language) == ("ok", "en-US")
    assert (after.ui_language, after.ui_attributes) == ("fr-FR", before.ui_attributes)


def test_interaction_is_created_fetched_and_changed(flex):
    made = flex.interaction.create(
        channel={"type": "sms", "initiated_by": "agent"},
        routing={"properties": {"attributes": {"name": "Ana"}}},
    )

    changed = flex.interaction(made.sid).update(webhook_ttid="flex_interactionwebhook_1")

    assert (made.channel["type"], made.channel["sid"][:2]) == ("sms", "UO")
    assert made.routing["properties"]["attributes"] == {"name": "Ana"}
    assert changed.sid == flex.interaction(made.sid).fetch().sid == made.sid


def test_channel_of_an_interaction_is_set_up_read_and_ended(flex):
    made = flex.interaction.create(channel={"type": "sms", "initiated_by": "agent"})
    channels = flex.interaction(made.sid).channels

    statuses = [one.status for _ in range(2) for one in channels.list()]
    ended = flex.interaction(made.sid).channels(made.channel["sid"]).update("closed")

    assert statuses == ["setup", "active"]
    assert (ended.status, ended.interaction_sid) == ("closed", made.sid)
    assert flex.interaction(made.sid).channels(ended.sid).fetch().status == "closed"


def test_interaction_without_the_type_of_its_channel_is_refused(flex):
    with pytest.raises(TwilioRestException) as excinfo:
        flex.interaction.create(channel={"initiated_by": "agent"})

    assert (excinfo.value.status, excinfo.value.code) == (400, 20001)


def test_provision_status_is_fetched(flex):
    assert flex.provisioning_status().fetch().status == "active"
