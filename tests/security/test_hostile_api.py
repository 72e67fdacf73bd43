"""Hostile values from Twilio break no page and become no markup, address or formula."""

import csv
import io
import json

import pytest
from django.test import Client
from django.urls import reverse

from flows.audit.models import AuditEvent
from flows.core.csv_cells import _FORMULA_START
from flows.flex_flows import target_links
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.plans import drafts
from flows.plans.models import Plan
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.flexadmin.keyboard.palette_pages import search as search_palette
from tests.security.hostile import (
    HARMFUL_ANYWHERE,
    HOSTILE_VALUES,
    MARKER,
    WRONG_TYPES,
    make_hostile_flow,
)
from tests.security.markup import INVISIBLE_CHARACTERS, Page, find_inline_code, read_body

pytestmark = pytest.mark.django_db
csv.field_size_limit(8_000_000)
KINDS = [*HOSTILE_VALUES, *WRONG_TYPES]
CASES = [kind for kind in KINDS if kind not in HARMFUL_ANYWHERE]
OWN_SCHEMES = ("/", "?", "#", "https://www.twilio.com/", "https://console.twilio.com/")


def find_injected(html: str) -> list[str]:
    """Return every element, attribute or address of a page that comes from hostile data."""
    findings, page = find_inline_code(html), Page(html)
    for tag, attributes in page.elements:
        if MARKER in tag or tag in ("iframe", "object", "embed", "base", "img", "b", "i"):
            findings.append(f"<{tag}>")
        findings += [
            f"<{tag} {name}>"
            for name in attributes
            if MARKER in name or name in ("autofocus", "injected", "'", "`")
        ]
    for tag, name, value in page.addresses():
        is_ours = value.startswith(OWN_SCHEMES) and not value.startswith("//")
        if value and not is_ours:
            findings.append(f"<{tag} {name}={value[:80]!r}>")
        if MARKER in value and tag != "a":
            findings.append(f"<{tag} {name}={value[:80]!r}>")
    if "<textarea" not in html:
        findings += [
            f"invisible in {text.strip()[:80]!r}"
            for text in page.text
            if INVISIBLE_CHARACTERS.search(text)
        ]
    return findings


def is_formula(cell: str) -> bool:
    return not cell.startswith("'") and _FORMULA_START.match(cell) is not None


def pages(client: Client, sid: str) -> list[tuple[str, str, dict[str, str]]]:
    flow = reverse("flows:detail", args=[sid])
    event = AuditEvent.objects.filter(target_sid=sid).latest("seq").event_id
    list_queries = (
        {},
        {"q": MARKER[:3]},
        {"sort": "-name"},
        {"sort": "identity"},
        {"channel": "sms"},
        {"enabled": "true"},
    )
    return [
        ("get", reverse("home"), {}),
        *(("get", reverse("flows:list"), dict(query)) for query in list_queries),
        *(("get", f"{flow}{part}", {}) for part in ("", "code/", "edit/", "enabled/", "delete/")),
        ("get", reverse("flows:new"), {"clone": sid}),
        ("get", reverse("audit:list"), {}),
        ("get", reverse("audit:list"), {"q": MARKER[:3]}),
        ("get", reverse("audit:list"), {"sid": sid}),
        ("get", reverse("audit:detail", args=[event]), {}),
        ("get", reverse("flows:edit", args=[sid]), {"restore": str(event), "state": "before"}),
        ("get", reverse("flows:drift"), {}),
        *(("get", reverse("flows:targets"), {"kind": kind}) for kind in ("", "identity")),
        *(("get", reverse("flows:target", args=target), {}) for target in _targets(sid)),
        ("get", reverse("flows:plans"), {}),
        *(("get", reverse("flows:plan", args=[plan.pk]), {}) for plan in Plan.objects.all()),
        *(("post", reverse("flows:copy-out"), {"sid": sid, "format": form}) for form in ("csv", "json")),
        *(("post", reverse("audit:export"), {"format": form, "what": "all"}) for form in ("csv", "ndjson")),
        ("post", reverse("audit:verification"), {"head": ""}),
    ]  # fmt: skip


def _targets(sid: str) -> list[tuple[str, str]]:
    flow = Flow.objects.get(sid=sid)
    identities = [("identity", flow.contact_identity, "")] if flow.contact_identity else []
    targets = [*flow.targets, *identities]
    return [(kind, value) for kind, value, _ in targets if len(value) <= target_links.MAX_LENGTH]


def add_hostile_flow(sandbox, kind):
    """Add a flow that a first sync finds harmless and a second one hostile; return its SID."""
    sid = sandbox.add_flow(friendly_name="Harmless", channel_type="sms")
    sync_account(ACCOUNT)
    sandbox.edit_flow(sid, **make_hostile_flow(kind))
    sync_account(ACCOUNT)
    drafts.plan_bulk_action(action=drafts.BulkAction("disable"), sids=[sid], created_by="admin")
    return sid


@pytest.mark.parametrize("kind", CASES)
def test_every_page_shows_hostile_values_as_text_only(sandbox, client_of, kind):
    sid, client = add_hostile_flow(sandbox, kind), client_of("admin")
    findings = {}

    for method, url, data in pages(client, sid):
        response = getattr(client, method)(url, data)
        body, content_type = read_body(response), response.get("Content-Type", "")
        assert response.status_code in (200, 302), url
        assert MARKER not in str(response.headers.get("Location", ""))
        if content_type.startswith("text/html"):
            injected = find_injected(body.decode())
            if injected:
                findings[url, str(data)] = injected
        elif content_type.startswith("text/csv"):
            rows = list(csv.reader(io.StringIO(body.decode(), newline="")))
            assert {len(row) for row in rows} == {len(rows[0])}
            findings |= {
                (url, cell[:40]): "a formula" for row in rows for cell in row if is_formula(cell)
            }
        elif content_type.startswith(("application/json", "application/x-ndjson")):
            for line in (
                [body.decode()] if "ndjson" not in content_type else body.decode().splitlines()
            ):
                json.loads(line)

    assert findings == {}


@pytest.mark.parametrize("kind", CASES)
def test_palette_shows_hostile_values_as_text_only(sandbox, client_of, kind):
    sid, client = add_hostile_flow(sandbox, kind), client_of("admin")
    url = reverse("flows:detail", args=[sid])

    responses = [search_palette(client, text, page=url) for text in ("", sid, MARKER[:3], MARKER)]

    assert [find_injected(response.content.decode()) for response in responses] == [[]] * 4
    assert sid in responses[1].content.decode()


@pytest.mark.parametrize("kind", CASES)
def test_hostile_flow_can_be_changed_or_the_page_gives_the_error(sandbox, client_of, kind):
    sid, client = add_hostile_flow(sandbox, kind), client_of("admin")
    edit = reverse("flows:edit", args=[sid])
    form = client.get(edit).context["form"]
    form_values = {name: form[name].value() for name in form.fields}
    data = {
        name: "" if value is None else str(value)
        for name, value in {**dict(form.parked), **form_values}.items()
    }

    responses = [
        client.post(edit, {**data, "friendly_name": "Tamed", "review": "1"}),
        client.post(edit, {**data, "friendly_name": "Tamed"}),
        client.post(reverse("flows:plan-import"), {"entries": json.dumps({"flows": [{"sid": sid, **make_hostile_flow(kind)}]})}),
        client.post(edit, {"friendly_name": "Without what was seen"}),
        client.post(reverse("flows:delete", args=[sid]), {"change_id": data["change_id"], "confirm_name": "x"}),
    ]  # fmt: skip

    assert {response.status_code for response in responses} <= {200, 302, 409, 422}
    for response in responses:
        assert find_injected(response.content.decode() or "<p>") == []


@pytest.mark.parametrize(
    "kind", [kind for kind in CASES if kind in HOSTILE_VALUES and kind != "long"]
)
def test_hostile_error_message_is_shown_as_text(sandbox, client_of, flow_sid, kind):
    client = client_of("admin")
    sandbox.inject(
        Fault(FaultKind.REFUSE, method="POST", status=400, code=20001, message=HOSTILE_VALUES[kind])
    )

    data = {"enabled": "false", "change_id": "0f0e0d0c-0b0a-4908-8706-050403020100"}
    response = client.post(reverse("flows:enabled", args=[flow_sid]), data)
    event = AuditEvent.objects.latest("seq")
    event_page = client.get(reverse("audit:detail", args=[event.event_id]))

    assert (response.status_code, event_page.status_code) == (422, 200)
    assert (
        find_injected(response.content.decode()) + find_injected(event_page.content.decode()) == []
    )


@pytest.mark.quick
def test_hostile_flow_has_every_field():
    """A new field of the schema becomes hostile here as well."""
    assert {field.name for field in FLEX_FLOW.fields} - {"sid"} <= set(make_hostile_flow("number"))


@pytest.mark.quick
def test_list_shows_all_hostile_flows_at_once(sandbox, client_of):
    sids = {kind: sandbox.add_flow() for kind in KINDS if kind != "long"}
    for kind, sid in sids.items():
        sandbox.edit_flow(sid, **make_hostile_flow(kind))

    sync_account(ACCOUNT)
    page = client_of("admin").get(reverse("flows:list"))

    assert Flow.objects.filter(sid__in=sids.values()).count() == len(sids)
    assert find_injected(page.content.decode()) == []
