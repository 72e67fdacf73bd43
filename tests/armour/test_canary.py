"""A secret is in no page, file, log line, error page, command's output or table: each is a canary that is looked for
everywhere. A webhook's secret may stand in the flow's own form (edit, a clone's, their review) and nowhere else.
"""

import base64
import dataclasses
import html
import io
import logging
import re
from unittest import mock
from urllib.parse import unquote

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import OperationalError
from django.http import HttpRequest

from flows.audit.models import AuditEvent
from flows.mirror import mirror
from flows.mirror.models import Flow
from flows.plans import drafts
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.armour.markup import read_body
from tests.armour.places import URL_NAMES, SampleSite, dump_database, send_form
from tests.faults.acting import switch_flow

pytestmark = pytest.mark.django_db
HOOK = "canary-hook-5d1c"
HOOK_URL = f"https://twilio:{HOOK}@hooks.example.com/in?team=care&token={HOOK}&Sig={HOOK}"
# Addresses as the Console or a script leaves them, each with its secret in another place.
HOOK_URLS = (
    HOOK_URL,
    f"https://crm.example/hook?label=Sales desk&token={HOOK}",
    f"https://flex bot:{HOOK}@crm.example/in",
    f"https://hooks.slack.example/services/T0A/B0B/{HOOK}",
    f'https://crm.example/hook?auth_data=1&data={{"token":"{HOOK}"}}',
    f"https://crm.example/hook?access={HOOK}&private={HOOK}&k={HOOK}&anything={HOOK}",
    f"https://crm.example/hook;v={HOOK}/next#{HOOK}",
    f"https://crm.example/my hooks/{HOOK}",
    f"https:\\\\bot:{HOOK}@crm.example\\in",
    f"//bot:{HOOK}@crm.example/in",
)
PASSWORD = "canary-password-2b9e"
SECRET_NAMES = re.compile(r"SECRET|TOKEN|PASSWORD|AUDIT_KEY", re.IGNORECASE)
FORMS = {
    "flows:edit",
    "flows:new",
}  # where a webhook's secret may be seen, by those who may change it
NOT_OURS = {
    "django_session",
    "sqlite_sequence",
    "django_migrations",
}  # a session's key is what its table is for


def secrets_in(value, name=""):
    """The secret texts of a setting, however deep they stand in it."""
    if isinstance(value, str):
        return (
            {value} if SECRET_NAMES.search(name) and len(value) > 7 and "." not in value else set()
        )
    if dataclasses.is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        found = [secrets_in(item, str(key)) for key, item in value.items()]
        return set().union(*found)
    if isinstance(value, (list, tuple, set)):
        return set().union(*(secrets_in(item, name) for item in value))
    if SECRET_NAMES.search(name) and hasattr(value, "__iter__"):
        return {str(item) for item in value if isinstance(item, str) and len(item) > 7}
    return set()


@pytest.fixture
def canaries(settings):
    """What is secret in the settings, as they stand, and in the way in which it is sent."""
    settings.SECRET_KEY_FALLBACKS = ["canary-older-secret-key"]
    settings.METRICS_TOKEN = "canary-metrics-token"
    found = set()
    for name in dir(django_settings):
        if name.isupper():
            found |= secrets_in(getattr(django_settings, name), name)
    credentials = {
        "sandbox-secret",
        "canary-metrics-token",
        django_settings.AUDIT_KEY,
        django_settings.SECRET_KEY,
    }
    assert credentials <= found, "the settings keep a secret in another way now: teach secrets_in"
    pairs = {f"{key}:{secret}" for key in ("SK" + "5b" * 16, "AC" + "5a" * 16) for secret in found}
    return found | {base64.b64encode(pair.encode()).decode() for pair in pairs} | {PASSWORD, HOOK}


def spoken(text):
    """A text and what it says once it is decoded."""
    return "\n".join((text, html.unescape(text), unquote(text), unquote(html.unescape(text))))


def leaks(text, canaries):
    return sorted(canary[:12] for canary in canaries if canary in spoken(text))


@pytest.fixture
def hook_url(request):
    return getattr(request, "param", HOOK_URL)


@pytest.fixture
def secretive(world: SampleSite, hook_url):
    """The world, with secrets wherever it can have them: in a flow that everything is done to, and in others that are
    looked at."""
    for url in HOOK_URLS:
        sid = world.sandbox.add_flow(integration_type="external", integration_url=url)
        mirror.sync(ACCOUNT)
        world.sandbox.edit_flow(sid, integration_url=f"{url}&key={HOOK}", contact_identity=url)
    unknown = {"auth": {"user": HOOK}, "list": [{"secret": HOOK}], "note": f"Bearer {HOOK}"}
    sid = world.sandbox.add_flow(
        integration_type="external", integration_url=hook_url, unknown_url=hook_url, unknown=unknown,
        integration_headers=f'{{"X-Token": "{HOOK}"}}',
    )  # fmt: skip
    mirror.sync(ACCOUNT)
    world.sandbox.edit_flow(
        sid, integration_url=hook_url + "&key=" + HOOK, friendly_name=f"See {HOOK_URL}"
    )
    mirror.sync(ACCOUNT)
    switch_flow(sid, enabled=not world.sandbox.flows[sid]["enabled"], reason=f"see {HOOK_URL}")
    drafts.plan_bulk_action(
        ask=drafts.BulkAction("webhook_host", "new.example"), sids=[sid], made_by="admin"
    )
    return sid


def calls(world, sid):
    """Every place with what it would carry out, and the flow's own with the flow that has a secret."""
    for name in URL_NAMES:
        url, data = world.call(name)
        yield name, url, data
        if "sid" in str(url) or world.sid in url:
            yield name, url.replace(world.sid, sid), {"confirm_name": "x"}
    yield "flows:new", f"/flows/new/?clone={sid}", {}
    for form in ("csv", "json"):
        yield "flows:copy-out", "/flows/copy-out/", {"all": "1", "format": form}
    for form in ("csv", "ndjson"):
        yield "audit:export", "/audit/export/", {"what": "all", "format": form}
    for flow in Flow.objects.filter(integration_type="external"):
        yield "flows:detail", f"/flows/{flow.sid}/", {}
        yield "flows:code", f"/flows/{flow.sid}/code/", {}
        yield "flows:delete", f"/flows/{flow.sid}/delete/", {"confirm_name": "x"}
    for event in AuditEvent.objects.filter(action="flow.drift"):
        yield "audit:detail", f"/audit/{event.event_id}/", {}
    yield "audit:verification", "/audit/verification/", {"act": "head"}
    yield "audit:list", f"/audit/?sid={sid}", {}
    yield "flows:list", "/flows/?q=hooks", {}


@pytest.mark.quick
def test_no_page_file_log_line_or_table_has_a_secret(
    world: SampleSite, secretive, canaries, caplog
):
    caplog.set_level(logging.DEBUG)
    found = {}
    for name, url, data in calls(world, secretive):
        for method in ("GET", "POST"):
            client = world.client("admin")  # one of the calls signs out
            canaries.add(client.session.session_key)
            response = send_form(client, method, url, data if method == "POST" else {})
            said = read_body(response).decode() + str(response.headers)
            allowed = {HOOK} if name in FORMS else set()
            if leaked := leaks(said, canaries - allowed):
                found[name, method, url[-40:]] = leaked

    assert found == {}
    assert leaks(caplog.text, canaries) == []
    assert leaks(str(dump_database(without=NOT_OURS)), canaries) == []
    assert len(caplog.records) > 10
    edit = world.client("admin").get(f"/flows/{secretive}/edit/")
    assert HOOK in html.unescape(
        edit.content.decode()
    )  # the one place, so that the search finds what is there


@pytest.mark.parametrize("hook_url", [HOOK_URL, HOOK_URLS[1], HOOK_URLS[7]], indirect=True)
def test_what_twilio_says_back_has_no_secret(
    world: SampleSite, secretive, hook_url, canaries, caplog
):
    caplog.set_level(logging.DEBUG)
    client, said = world.client("admin"), []
    faults = (
        FaultKind.REFUSE,
        FaultKind.SERVER_ERROR,
        FaultKind.APPLY_THEN_DROP,
        FaultKind.GARBAGE,
    )
    for fault in faults:
        words = (
            f"Invalid parameter Integration.Url: {hook_url}&key={HOOK} is no address"
            if fault == FaultKind.REFUSE
            else None
        )
        world.sandbox.inject(Fault(fault, method="POST", message=words))
        url, data = world.call("flows:enabled")
        answer = client.post(url.replace(world.sid, secretive), data, follow=True)
        said.append(answer.content.decode())
    said.append(client.get("/audit/").content.decode())

    assert leaks("\n".join(said), canaries) == []
    assert leaks(caplog.text, canaries) == []
    assert leaks(str(dump_database(without=NOT_OURS)), canaries) == []


@pytest.mark.parametrize("debug", [False, True], ids=["debug off", "debug on"])
@pytest.mark.parametrize("hook_url", [HOOK_URL], indirect=True)
def test_page_of_a_failure_has_no_secret(
    world: SampleSite, secretive, canaries, caplog, settings, debug
):
    caplog.set_level(logging.DEBUG)
    settings.DEBUG = debug
    client = world.client("admin")
    client.raise_request_exception = False
    client.session.save()
    canaries.add(client.session.session_key)
    url = f"/flows/{secretive}/edit/"
    form = client.get(url).context["form"]
    data = {"base": form["base"].value(), "change_id": str(form["change_id"].value()), "friendly_name": "x",
            "integration_type": "external", "integration_url": HOOK_URL}  # fmt: skip
    found, seen = {}, 0

    def failing(*args, **_more):
        kept = (
            HOOK_URL,
            PASSWORD,
            django_settings.AUDIT_KEY,
        )  # in a variable of the failing function
        raise RuntimeError(f"after {len(kept)} of {len(args)}")

    for broken in ("flows.mirror.mirror.fetch", "flows.twilio.client.FlexClient._exchange",
                   "flows.changes.flow_changes.update_flow", "flows.audit.audit_log.append", "flows.flex_flows.views.changes._render_form"):  # fmt: skip
        for error in (RuntimeError, OperationalError):
            with mock.patch(
                broken, side_effect=failing if error is RuntimeError else error("gone")
            ):
                for answer in (
                    client.get(url),
                    client.post(url, data),
                    client.post(url, {**data, "password": PASSWORD}),
                ):
                    seen += answer.status_code >= 500
                    if answer.status_code >= 500 and (
                        leaked := leaks(answer.content.decode(), canaries)
                    ):
                        found[broken, answer.status_code] = leaked

    assert found == {}
    assert seen > 10
    assert leaks(caplog.text, canaries) == []


@pytest.mark.parametrize("debug", [False, True], ids=["debug off", "debug on"])
def test_failed_sign_in_leaves_no_password(world: SampleSite, canaries, caplog, settings, debug):
    caplog.set_level(logging.DEBUG)
    settings.DEBUG = debug
    client, typed = (
        world.client("anonymous"),
        {"username": "admin", "login": "admin", "password": PASSWORD},
    )
    client.raise_request_exception = False

    wrong = client.post("/login/", typed)
    with (
        mock.patch("django.contrib.auth.hashers.check_password", side_effect=RuntimeError),
        mock.patch("django.contrib.auth.base_user.check_password", side_effect=RuntimeError),
    ):
        broken = client.post("/login/", typed)

    assert wrong.status_code < 500 <= broken.status_code
    assert leaks(wrong.content.decode() + broken.content.decode() + caplog.text, canaries) == []
    assert leaks(str(dump_database()), canaries) == []


@pytest.mark.parametrize("hook_url", [HOOK_URL, HOOK_URLS[3]], indirect=True)
@pytest.mark.django_db(transaction=True)
def test_no_command_says_a_secret(
    world: SampleSite, secretive, canaries, caplog, monkeypatch, tmp_path, capfd
):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("OPERATOR_PASSWORD", PASSWORD)
    out = io.StringIO()
    for command in (
        ["sync_flows"],
        ["reconcile_changes"],
        ["add_operator", "nina", "--role", "viewer"],
        [
            "export_audit",
            "--format",
            "ndjson",
            "--output",
            str(tmp_path / "a"),
            "--head",
            str(tmp_path / "head"),
        ],
        ["export_audit", "--format", "csv", "--output", str(tmp_path / "b")],
        ["verify_audit", "--head", str(tmp_path / "head")],
        ["erase_personal_data", "--flow", secretive, "--reason", f"see {HOOK_URL}"],
        ["check"],
    ):
        call_command(*command, stdout=out, stderr=out)

    files = "".join(file.read_text() for file in tmp_path.iterdir())
    streams = "".join(capfd.readouterr())
    assert len(files) > 1000
    assert leaks(out.getvalue() + files + streams + caplog.text, canaries) == []
    assert leaks(str(dump_database()), canaries) == []


@pytest.mark.quick
def test_settings_written_out_have_no_secret_of_an_account(canaries):
    """As a log line or a failed assertion writes an object."""
    shown = [repr(value) for value in vars(HttpRequest()).values()]
    accounts = getattr(django_settings, "FLEX_ACCOUNTS", "")

    assert "sandbox-secret" not in repr(accounts) + str(shown)
