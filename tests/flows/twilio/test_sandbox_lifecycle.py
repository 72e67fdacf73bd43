"""The sandbox in the hands of a test: direct edits, latency, start, stop and the state file."""

from datetime import timedelta

import pytest

from flows.twilio.sandbox.server import Sandbox
from tests.flows.twilio import (
    FLOWS,
    FO,
    FW,
    STUDIO,
    Clock,
    address,
    call,
    create,
    read_until_closed,
    send_request,
)


@pytest.fixture
def sandbox():
    with Sandbox(clock=Clock()) as sandbox:
        yield sandbox


def test_flows_can_be_added_edited_and_removed_directly(sandbox):
    sid = sandbox.add_flow(
        friendly_name="Störungen",
        integration_type="external",
        integration_retry_count=1,
        unknown_field="kept",
    )

    sandbox.edit_flow(sid, friendly_name="Störungen Köln", integration_url="https://b.example/")

    flow = call(sandbox, "GET", f"{FLOWS}/{sid}").json
    assert (flow["friendly_name"], flow["unknown_field"]) == ("Störungen Köln", "kept")
    assert flow["integration"] == {"url": "https://b.example/", "retry_count": 1}
    sandbox.remove_flow(sid)
    assert sandbox.flows == {}
    with pytest.raises(KeyError):
        sandbox.remove_flow(sid)
    with pytest.raises(KeyError):
        sandbox.edit_flow(sid, enabled=False)


def test_edited_flow_has_a_date_and_only_fields_of_its_type():
    clock = Clock()
    sandbox = Sandbox(clock=clock)
    sid = sandbox.add_flow()
    clock.now += timedelta(hours=1)

    sandbox.edit_flow(sid, integration_type="task", integration_timeout=60)

    flow = sandbox.flows[sid]
    assert (flow["date_created"], flow["date_updated"]) == (
        "2026-03-01T12:00:00Z",
        "2026-03-01T13:00:00Z",
    )
    assert flow["integration"] == {"timeout": 60}


def test_adding_a_sid_twice_is_an_error(sandbox):
    sandbox.add_flow(sid=FO)

    with pytest.raises(ValueError, match="is there already"):
        sandbox.add_flow(sid=FO)


@pytest.mark.parametrize(
    ("channel_type", "identity"),
    [
        ("sms", "+447700900037"),
        ("whatsapp", "whatsapp:+447700900037"),
        ("facebook", "messenger:111447700900037"),
        ("web", None),
        ("line", "line-1"),
        ("custom", "instagram-1"),
    ],
)
def test_added_flow_has_an_identity_of_its_channel(channel_type, identity):
    sandbox = Sandbox()

    sid = sandbox.add_flow(channel_type=channel_type)

    assert sandbox.flows[sid]["contact_identity"] == identity
    assert sandbox.flows[sid]["integration"] == {"flow_sid": "FW" + "5c" * 16, "retry_count": 3}


def test_latency_waits_before_each_answer_and_a_release_ends_it():
    with Sandbox(latency=3600) as sandbox, send_request(sandbox, "GET") as connection:
        assert sandbox.wait_until_held()
        sandbox.release()

        assert connection.recv(65_536).startswith(b"HTTP/1.1 200 OK")


def test_stop_ends_a_request_without_applying_it():
    sandbox = Sandbox(latency=3600)
    sandbox.start()
    with send_request(sandbox) as connection:
        assert sandbox.wait_until_held()

        sandbox.stop()

        assert read_until_closed(connection) == b""
    assert sandbox.flows == {}
    assert sandbox.requests[0].status is None


def test_stop_ends_idle_connections_and_can_be_repeated():
    sandbox = Sandbox()
    sandbox.start()
    with send_request(sandbox, "GET") as connection:
        connection.recv(65_536)

        sandbox.stop()
        sandbox.stop()

        assert connection.recv(1) == b""


def test_start_after_a_stop_has_the_same_flows():
    sandbox = Sandbox()
    with sandbox:
        flow = create(sandbox)

    with sandbox:
        reply = call(sandbox, "GET", f"{FLOWS}/{flow['sid']}")

    assert reply.json["friendly_name"] == flow["friendly_name"]
    with pytest.raises(RuntimeError, match="started"):
        address(sandbox)


def test_start_on_a_port_in_use_is_an_error(sandbox):
    second = Sandbox(port=address(sandbox)[1])

    with pytest.raises(OSError, match="in use"):
        second.start()


def test_state_file_restores_flows_and_cursors(tmp_path):
    file = tmp_path / "made" / "state.json"
    with Sandbox(state_file=file) as sandbox:
        sids = [create(sandbox)["sid"] for _ in range(3)][::-1]
        call(sandbox, "POST", f"{FLOWS}/{sids[0]}", {"FriendlyName": "東京 予約受付"})
        link = call(sandbox, "GET", FLOWS, {"PageSize": 1}).json["meta"]["next_page_url"]
        call(sandbox, "DELETE", f"{FLOWS}/{sids[1]}")
        added = sandbox.add_flow()
        sandbox.edit_flow(added, enabled=False)
        before = sandbox.flows

    with Sandbox(state_file=str(file), flows=5) as restarted:
        after = restarted.flows
        page = call(restarted, "GET", FLOWS + link.partition(FLOWS)[2]).json["flex_flows"]

    assert list(before) == [added, sids[0], sids[2]]
    assert list(after.items()) == list(before.items())
    assert after[sids[0]]["friendly_name"] == "東京 予約受付"
    assert [flow["sid"] for flow in page] == [sids[2]]
    assert [path.name for path in file.parent.iterdir()] == ["state.json"]


@pytest.mark.parametrize(
    "change",
    [
        lambda sandbox, _: call(sandbox, "POST", FLOWS, STUDIO),
        lambda sandbox, sid: call(sandbox, "POST", f"{FLOWS}/{sid}", {"LongLived": "true"}),
        lambda sandbox, sid: call(sandbox, "DELETE", f"{FLOWS}/{sid}"),
        lambda sandbox, _: sandbox.add_flow(),
        lambda sandbox, sid: sandbox.edit_flow(sid, friendly_name="Another"),
        lambda sandbox, sid: sandbox.remove_flow(sid),
    ],
    ids=["create", "update", "delete", "add_flow", "edit_flow", "remove_flow"],
)
def test_state_file_has_each_change_at_once(tmp_path, change):
    with Sandbox(state_file=tmp_path / "state.json") as sandbox:
        sid = sandbox.add_flow()
        before = sandbox.flows

        change(sandbox, sid)

        assert before != sandbox.flows == Sandbox(state_file=tmp_path / "state.json").flows


def test_state_file_is_seeded_and_written_with_the_first_change(tmp_path):
    file = tmp_path / "state.json"
    sandbox = Sandbox(state_file=file, flows=5)

    before = file.exists()
    sid = sandbox.add_flow(integration_flow_sid=FW)

    assert before is False
    assert list(Sandbox(state_file=file).flows) == [sid, *list(sandbox.flows)[1:]]
    assert len(sandbox.flows) == 6


@pytest.mark.parametrize(
    "text", ["nonsense", "[]", '{"last": 1}', '{"last": 1, "flows": [[1, {}]]}']
)
def test_invalid_state_file_is_an_error(tmp_path, text):
    file = tmp_path / "state.json"
    file.write_text(text)

    with pytest.raises(ValueError, match=r"state\.json is not a sandbox's state file"):
        Sandbox(state_file=file)


def test_state_file_keeps_the_old_state_when_writing_fails(tmp_path, monkeypatch):
    file = tmp_path / "state.json"
    sandbox = Sandbox(state_file=file)
    sandbox.add_flow()
    before = file.read_text()

    with pytest.raises(TypeError):
        sandbox.add_flow(unknown_field=object())

    assert file.read_text() == before
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]
