"""The other products in the sandbox: names for the SIDs of the sample flows, read only."""

from urllib.parse import urlsplit

import pytest

from flows.twilio.api.incoming_phone_number import INCOMING_PHONE_NUMBER
from flows.twilio.chat.chat_service import CHAT_SERVICE
from flows.twilio.client import ResourceClient
from flows.twilio.conversations.conversation_service import CONVERSATION_SERVICE
from flows.twilio.errors import OutcomeUnknown, RequestRefused
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.messaging.messaging_service import MESSAGING_SERVICE
from flows.twilio.messaging.whatsapp_sender import WHATSAPP_SENDER
from flows.twilio.named_resources import NAMED_RESOURCES
from flows.twilio.sandbox.consistency import Lag, LagKind
from flows.twilio.sandbox.faults import Fault, FaultKind
from flows.twilio.sandbox.named_bodies import SECRET
from flows.twilio.sandbox.named_seed import MinimumCounts
from flows.twilio.sandbox.seed import DEMO_SIDS
from flows.twilio.sandbox.server import Sandbox
from flows.twilio.studio.studio_flow import STUDIO_FLOW
from flows.twilio.taskrouter.task_channel import TASK_CHANNEL
from flows.twilio.taskrouter.workflow import WORKFLOW
from flows.twilio.taskrouter.workspace import WORKSPACE
from tests.flows.twilio import call

STUDIO_FLOWS = "/studio/v2/Flows"
WORKSPACE_SID = DEMO_SIDS["integration_workspace_sid"]
PATHS = {
    STUDIO_FLOW: STUDIO_FLOWS,
    WORKSPACE: "/taskrouter/v1/Workspaces",
    WORKFLOW: f"/taskrouter/v1/Workspaces/{WORKSPACE_SID}/Workflows",
    TASK_CHANNEL: f"/taskrouter/v1/Workspaces/{WORKSPACE_SID}/TaskChannels",
    CONVERSATION_SERVICE: "/conversations/v1/Services",
    CHAT_SERVICE: "/chat/v2/Services",
    INCOMING_PHONE_NUMBER: "/api/2010-04-01/Accounts/AC" + "5a" * 16 + "/IncomingPhoneNumbers.json",
    WHATSAPP_SENDER: "/messaging/v2/Channels/Senders",
    MESSAGING_SERVICE: "/messaging/v1/Services",
}
every_resource = pytest.mark.parametrize("resource", NAMED_RESOURCES, ids=lambda one: one.name)


@pytest.fixture
def sandbox():
    with Sandbox(flows=300) as started_sandbox:
        yield started_sandbox


@pytest.fixture
def client_for(sandbox):
    """Return a function that creates a client of a resource."""
    clients = []

    def make(resource):
        client = ResourceClient(
            resource,
            base_url=resource.base_url(sandbox.api_url),
            account_sid=sandbox.account_sid,
            auth=(sandbox.api_key, sandbox.api_secret),
            rate_limits=False,
            sleep=lambda _seconds: None,
        )
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def list_all(client_for):
    """Return a function that lists a resource, in each object of its parent."""

    def list_objects(resource, **options):
        if resource.parent is None:
            return list(client_for(resource).list(**options))
        return [
            body
            for parent in list_objects(resource.parent)
            for body in client_for(resource).list(parent_sid=parent["sid"], **options)
        ]

    return list_objects


def values_in_flows(sandbox, name):
    snapshots = map(FLEX_FLOW.decode, sandbox.flows.values())
    return {snapshot[name] for snapshot in snapshots if snapshot.get(name)}


def wire_path(resource, suffix=""):
    path = PATHS[resource]
    return path.replace(".json", f"{suffix}.json") if ".json" in path else path + suffix


# Names


def test_all_named_resources_are_covered():
    assert PATHS.keys() == {*NAMED_RESOURCES}


@every_resource
def test_list_and_fetch_agree(list_all, client_for, resource):
    bodies = list_all(resource)

    assert bodies
    for body in bodies[:3]:
        parent = {"parent_sid": body["workspace_sid"]} if resource.parent else {}
        assert client_for(resource).fetch(body["sid"], **parent) == body
        assert resource.name_of(body)
        assert {*body} == {*resource.by_name} | {"sid"}


@every_resource
def test_list_of_small_pages_has_every_object_once(list_all, resource):
    whole, in_pages = list_all(resource), list_all(resource, page_size=2)

    assert in_pages == whole
    assert len({body["sid"] for body in whole}) == len(whole)


def test_studio_flows_of_the_flows_have_names_but_for_a_deleted_one(sandbox, list_all):
    studio_flows = list_all(STUDIO_FLOW)

    used = values_in_flows(sandbox, "integration_flow_sid")
    (deleted,) = used - {body["sid"] for body in studio_flows}
    assert len(used) == 8
    assert {body["status"] for body in studio_flows if body["sid"] in used} == {
        "draft",
        "published",
    }
    assert len({body["friendly_name"] for body in studio_flows}) == len(studio_flows)
    reply = call(sandbox, "GET", f"{STUDIO_FLOWS}/{deleted}")
    assert (reply.status, reply.json["code"]) == (404, 20404)


def test_workflow_is_in_the_workspace_that_its_flows_name(sandbox, list_all):
    workspaces = {body["sid"]: body["friendly_name"] for body in list_all(WORKSPACE)}
    workflows = {body["sid"]: body["workspace_sid"] for body in list_all(WORKFLOW)}

    flows = [FLEX_FLOW.decode(flow) for flow in sandbox.flows.values()]
    tasks = [flow for flow in flows if flow["integration_type"] == "task"]
    assert tasks
    for flow in tasks:
        assert workflows[flow["integration_workflow_sid"]] == flow["integration_workspace_sid"]
        assert workspaces[flow["integration_workspace_sid"]]


def test_every_workspace_has_the_task_channels_of_the_flows(sandbox, list_all):
    names_by_workspace = {}
    for body in list_all(TASK_CHANNEL):
        names_by_workspace.setdefault(body["workspace_sid"], set()).add(body["unique_name"])

    used = values_in_flows(sandbox, "integration_channel")
    assert names_by_workspace.keys() == {body["sid"] for body in list_all(WORKSPACE)}
    assert all(used <= names for names in names_by_workspace.values())


def test_services_are_in_chat_and_in_conversations(sandbox, list_all):
    chat, conversations = (
        {body["sid"]: body["friendly_name"] for body in list_all(resource)}
        for resource in (CHAT_SERVICE, CONVERSATION_SERVICE)
    )

    assert chat == conversations
    assert values_in_flows(sandbox, "chat_service_sid") <= chat.keys()


def test_numbers_and_senders_are_the_identities_of_the_flows(sandbox, list_all):
    numbers = {body["phone_number"] for body in list_all(INCOMING_PHONE_NUMBER)}
    senders = {body["sender_id"]: body["status"] for body in list_all(WHATSAPP_SENDER)}

    identities = values_in_flows(sandbox, "contact_identity")
    assert numbers == {identity for identity in identities if identity.startswith("+")}
    assert senders.keys() == {one for one in identities if one.startswith("whatsapp:")}
    assert {*senders.values()} == {"ONLINE", "OFFLINE"}


def test_targets_of_added_flows_have_names():
    with Sandbox() as empty:
        studio_flow = DEMO_SIDS["integration_flow_sid"]
        workflow = f"{wire_path(WORKFLOW)}/{DEMO_SIDS['integration_workflow_sid']}"

        assert call(empty, "GET", f"{STUDIO_FLOWS}/{studio_flow}").json["status"] == "published"
        assert call(empty, "GET", workflow).json["friendly_name"] == "Assign to anyone"


def test_names_are_the_same_for_the_same_flows():
    one, same = Sandbox(flows=40), Sandbox(flows=40)

    for resource in (STUDIO_FLOW, WORKSPACE, WHATSAPP_SENDER):
        assert list(one.store_of(resource).snapshot()) == list(same.store_of(resource).snapshot())


# Secrets


@every_resource
def test_nothing_secret_is_kept(sandbox, list_all, resource):
    """The wire has secrets, as Twilio's has, and no snapshot has one."""
    reply = call(sandbox, "GET", wire_path(resource), dict(resource.list_parameters))

    has_secret = SECRET in reply.body.decode()
    secretless = (STUDIO_FLOW, TASK_CHANNEL, CONVERSATION_SERVICE)
    assert has_secret is (resource not in secretless)
    assert SECRET not in str(list_all(resource))


# Rules


@every_resource
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_only_a_number_can_be_changed(sandbox, resource, method):
    one = next(
        iter(sandbox.store_of(resource, WORKSPACE_SID if resource.parent else "").snapshot())
    )

    on_list = call(sandbox, method, wire_path(resource), {})
    on_object = call(sandbox, method, wire_path(resource, f"/{one}"), {})

    assert (on_list.status, on_list.headers["Allow"]) == (405, "GET")
    is_updatable = resource is INCOMING_PHONE_NUMBER
    if is_updatable and method == "POST":
        assert on_object.status == 200
    else:
        allowed = "GET, POST" if is_updatable else "GET"
        assert (on_object.status, on_object.headers["Allow"]) == (405, allowed)


@every_resource
def test_page_size_has_its_limit(sandbox, resource):
    query = {**resource.list_parameters, "PageSize": resource.max_page_size + 1}

    reply = call(sandbox, "GET", wire_path(resource), query)

    assert (reply.status, reply.json["code"]) == (400, 20007)


@pytest.mark.parametrize(
    "path",
    [
        "/studio/v1/Flows",
        "/studio/v2/Flows/",
        "/studio/v2/Flows.json",
        "/v2/Flows",
        "/taskrouter/v1/Workspaces/WS" + "0" * 32 + "/Workflows",
        PATHS[INCOMING_PHONE_NUMBER].removesuffix(".json"),
        PATHS[INCOMING_PHONE_NUMBER].replace("5a", "0e"),
        "/conversations/v1/Services/IS" + "0" * 32,
    ],
)
def test_unknown_path_is_not_found(sandbox, path):
    reply = call(sandbox, "GET", path)

    assert (reply.status, reply.json["code"]) == (404, 20404)


def test_senders_need_their_channel(sandbox):
    reply = call(sandbox, "GET", PATHS[WHATSAPP_SENDER])

    assert (reply.status, reply.json["code"]) == (400, 20001)


def test_task_channel_is_fetched_by_its_unique_name(sandbox):
    reply = call(sandbox, "GET", f"{PATHS[TASK_CHANNEL]}/sms")

    assert (reply.json["unique_name"], reply.json["sid"][:2]) == ("sms", "TC")


def test_page_of_the_api_of_2010_has_relative_links(sandbox):
    path = PATHS[INCOMING_PHONE_NUMBER]

    first = call(sandbox, "GET", path, {"PageSize": 2}).json
    second = call(sandbox, "GET", "/api" + first["next_page_uri"]).json

    assert (first["page"], first["page_size"], first["start"], first["end"]) == (0, 2, 0, 1)
    assert (second["page"], second["start"]) == (1, 2)
    assert first["previous_page_uri"] is None
    assert urlsplit(second["previous_page_uri"]).path == path.removeprefix("/api")
    one = first["incoming_phone_numbers"][0]
    assert one["uri"] == path.removeprefix("/api").replace(".json", f"/{one['sid']}.json")
    assert "meta" not in first


# Faults


def test_refusal_of_one_product_leaves_the_others(sandbox, list_all):
    sandbox.inject(Fault("refuse", path="/studio/*", status=403, code=20403, times=None))

    with pytest.raises(RequestRefused) as refused:
        list_all(STUDIO_FLOW)

    assert (refused.value.status, refused.value.message) == (403, "Forbidden")
    assert list_all(WORKFLOW)
    assert call(sandbox, "GET", "/v1/FlexFlows").status == 200


@every_resource
@pytest.mark.parametrize("kind", [FaultKind.LEAVE_HOST, FaultKind.PAGE_LOOP])
def test_list_that_does_not_end_is_given_up(sandbox, client_for, resource, kind):
    parent = {"parent_sid": WORKSPACE_SID} if resource.parent else {}
    sandbox.inject(Fault(kind, path=PATHS[resource], times=None))

    with pytest.raises(OutcomeUnknown, match="loop"):
        list(client_for(resource).list(**parent))

    assert all(request.fault == kind for request in sandbox.requests)


@every_resource
def test_answer_about_another_object_is_noticed(sandbox, client_for, resource):
    parent = {"parent_sid": WORKSPACE_SID} if resource.parent else {}
    sid = next(iter(sandbox.store_of(resource, parent.get("parent_sid", "")).snapshot()))
    sandbox.inject(Fault(FaultKind.WRONG_SID))

    with pytest.raises(OutcomeUnknown, match=f"another {resource.title}"):
        client_for(resource).fetch(sid, **parent)


def test_list_can_lag_and_lose_objects(sandbox, list_all):
    whole = list_all(STUDIO_FLOW)
    sandbox.lag(Lag(LagKind.SHORT, path="/studio/*"))

    assert list_all(STUDIO_FLOW) == whole[::2]
    assert list_all(STUDIO_FLOW) == whole


# Connections


def test_each_api_keeps_its_connection(sandbox, client_for):
    flow_client = ResourceClient(
        FLEX_FLOW,
        base_url=sandbox.url,
        account_sid=sandbox.account_sid,
        auth=(sandbox.api_key, sandbox.api_secret),
        rate_limits=False,
    )
    for _ in range(3):
        list(flow_client.list())
        list(client_for(STUDIO_FLOW).list())
        list(client_for(WHATSAPP_SENDER).list())
        list(client_for(MESSAGING_SERVICE).list())

    assert sandbox.connections == 4


def test_studio_flows_and_workflows_are_added_up_to_the_minimum():
    with Sandbox(flows=40, minimum_counts=MinimumCounts(studio_flows=300, workflows=40)) as sandbox:
        workspaces = sandbox.store_of(WORKSPACE).snapshot()
        workflows = [len(sandbox.store_of(WORKFLOW, sid).snapshot()) for sid in workspaces]
        assert len(sandbox.store_of(STUDIO_FLOW).snapshot()) == 300

    assert sum(workflows) == 40
    assert max(workflows) - min(workflows) <= 5  # spread over the workspaces
