"""The sandbox keeps all objects of the Flex API in files, so that a later start continues."""

import json

import pytest
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from flows.twilio.flex.channel import CHANNEL
from flows.twilio.sandbox.server import Sandbox


@pytest.fixture
def start(tmp_path):
    """Function that starts a sandbox on the same files, and returns Twilio's client of it."""
    sandboxes, sessions = [], []

    def run():
        while sandboxes:
            sandboxes.pop().stop()
        sandbox = Sandbox(flows=40, state_file=tmp_path / "sandbox.json")
        sandbox.start()
        sandboxes.append(sandbox)
        http = TwilioHttpClient()
        sessions.append(http.session)
        client = Client(sandbox.api_key, sandbox.api_secret, sandbox.account_sid, http_client=http)
        client.flex_api.base_url = sandbox.url.removesuffix("/v1")
        return sandbox, client.flex_api.v1

    yield run
    for sandbox in sandboxes:
        sandbox.stop()
    for session in sessions:
        session.close()


def test_later_start_has_the_same_conversations_although_flows_changed(start):
    sandbox, flex = start()
    channels = {one.sid for one in flex.channel.list()}
    deleted = sorted(channels)[0]
    flex.channel(deleted).delete()
    sandbox.edit_flow(next(iter(sandbox.flows)), enabled=False)

    _, flex = start()

    assert {one.sid for one in flex.channel.list()} == channels - {deleted}


def test_later_start_has_what_was_created_and_its_children(start):
    _, flex = start()
    plugin = next(one for one in flex.plugins.list() if one.unique_name == "plugin-callbacks")
    version = flex.plugins(plugin.sid).plugin_versions.list()[0]
    made = flex.plugin_configurations.create("Winter", plugins=[{"plugin_version": version.sid}])
    release = flex.plugin_releases.create(configuration_id=made.sid)

    _, flex = start()

    assert flex.plugin_releases.list(limit=1)[0].sid == release.sid
    (configured,) = flex.plugin_configurations(made.sid).plugins.list()
    assert configured.plugin_sid == plugin.sid


def test_without_a_state_file_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with Sandbox(flows=10) as sandbox:
        assert json.dumps(list(sandbox.store_of(CHANNEL).snapshot()))

    assert list(tmp_path.iterdir()) == []
