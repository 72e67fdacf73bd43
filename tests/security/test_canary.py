"""No secret appears in a page, file, log line, error page, command output or table.

Each secret is a canary that the tests search for everywhere. A webhook's secret may appear only in
the forms of its flow (edit, clone and their review).
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
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.http import HttpRequest

from flows.audit.models import AuditEvent
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.plans import drafts
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.conftest import form_data
from tests.faults.acting import switch_flow
from tests.flexadmin.keyboard.palette_pages import search as search_palette
from tests.flows.local_details.changing import set_details
from tests.flows.webhook_tests.receiver import LOOPBACK, Receiver
from tests.security.markup import read_body
from tests.security.places import URL_NAMES, SampleSite, dump_database, send_form

pytestmark = pytest.mark.django_db
HOOK_SECRET = "canary-hook-5d1c"
HOOK_URL = f"https://twilio:{HOOK_SECRET}@hooks.example.com/in?team=care&token={HOOK_SECRET}&Sig={HOOK_SECRET}"
# Webhook addresses as people write them, each with its secret in another place.
HOOK_URLS = (
    HOOK_URL,
    f"https://crm.example/hook?label=Sales desk&token={HOOK_SECRET}",
    f"https://flex bot:{HOOK_SECRET}@crm.example/in",
    f"https://hooks.slack.example/services/T0A/B0B/{HOOK_SECRET}",
    f'https://crm.example/hook?auth_data=1&data={{"token":"{HOOK_SECRET}"}}',
    f"https://crm.example/hook?access={HOOK_SECRET}&private={HOOK_SECRET}&k={HOOK_SECRET}&anything={HOOK_SECRET}",
    f"https://crm.example/hook;v={HOOK_SECRET}/next#{HOOK_SECRET}",
    f"https://crm.example/my hooks/{HOOK_SECRET}",
    f"https:\\\\bot:{HOOK_SECRET}@crm.example\\in",
    f"//bot:{HOOK_SECRET}@crm.example/in",
)
PASSWORD = "canary-password-2b9e"
AUTH_TOKEN = "canary-auth-token-9c4d"
SECRET_NAMES = re.compile(r"SECRET|TOKEN|PASSWORD|AUDIT_KEY", re.IGNORECASE)
# Forms that show a webhook's secret to users who may change it.
FORM_VIEWS = {"flows:edit", "flows:new"}
IGNORED_TABLES = {"django_session", "sqlite_sequence", "django_migrations"}


def secrets_in(value, name=""):
    """Return the secrets of a setting, however deeply nested."""
    if isinstance(value, str):
        return (
            {value} if SECRET_NAMES.search(name) and len(value) > 7 and "." not in value else set()
        )
    if dataclasses.is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        secrets_found = [secrets_in(item, str(key)) for key, item in value.items()]
        return set().union(*secrets_found)
    if isinstance(value, (list, tuple, set)):
        return set().union(*(secrets_in(item, name) for item in value))
    if SECRET_NAMES.search(name) and hasattr(value, "__iter__"):
        return {str(item) for item in value if isinstance(item, str) and len(item) > 7}
    return set()


@pytest.fixture
def canaries(settings):
    """Secrets of the settings, as they are and as HTTP Basic credentials."""
    settings.FLEX_ACCOUNTS = tuple(
        dataclasses.replace(account, auth_token=AUTH_TOKEN) for account in settings.FLEX_ACCOUNTS
    )
    settings.SECRET_KEY_FALLBACKS = ["canary-older-secret-key"]
    settings.METRICS_TOKEN = "canary-metrics-token"
    (account,) = settings.FLEX_ACCOUNTS
    headers = {"Flex-Metadata": "canary-flex-metadata"}
    settings.FLEX_ACCOUNTS = (dataclasses.replace(account, headers=headers),)
    secrets_found = set()
    for name in dir(django_settings):
        if name.isupper():
            secrets_found |= secrets_in(getattr(django_settings, name), name)
    credentials = {
        "sandbox-secret",
        "canary-metrics-token",
        AUTH_TOKEN,
        django_settings.AUDIT_KEY,
        django_settings.SECRET_KEY,
    }
    assert credentials <= secrets_found, "secrets_in does not find every secret of the settings"
    pairs = {
        f"{key}:{secret}"
        for key in ("SK" + "5b" * 16, "AC" + "5a" * 16)
        for secret in secrets_found
    }
    return (
        secrets_found
        | {base64.b64encode(pair.encode()).decode() for pair in pairs}
        | {PASSWORD, HOOK_SECRET, *headers.values()}
    )


def decode_all(text):
    """Return a text together with its decoded forms."""
    return "\n".join((text, html.unescape(text), unquote(text), unquote(html.unescape(text))))


def find_leaks(text, canaries):
    return sorted(canary[:12] for canary in canaries if canary in decode_all(text))


@pytest.fixture
def hook_url(request):
    return getattr(request, "param", HOOK_URL)


@pytest.fixture
def secret_flow(site: SampleSite, hook_url):
    """SID of a flow with secrets wherever it can have them. Others with secrets are only read."""
    for url in HOOK_URLS:
        sid = site.sandbox.add_flow(integration_type="external", integration_url=url)
        sync_account(ACCOUNT)
        site.sandbox.edit_flow(
            sid, integration_url=f"{url}&key={HOOK_SECRET}", contact_identity=url
        )
    unknown = {
        "auth": {"user": HOOK_SECRET},
        "list": [{"secret": HOOK_SECRET}],
        "note": f"Bearer {HOOK_SECRET}",
    }
    sid = site.sandbox.add_flow(
        integration_type="external", integration_url=hook_url, unknown_url=hook_url, unknown=unknown,
        integration_headers=f'{{"X-Token": "{HOOK_SECRET}"}}',
    )  # fmt: skip
    sync_account(ACCOUNT)
    site.sandbox.edit_flow(
        sid, integration_url=hook_url + "&key=" + HOOK_SECRET, friendly_name=f"See {HOOK_URL}"
    )
    sync_account(ACCOUNT)
    switch_flow(sid, enabled=not site.sandbox.flows[sid]["enabled"], reason=f"see {HOOK_URL}")
    set_details(sid, owner="Claims", tags=["vip"], note=f"see {HOOK_URL}\nBearer {HOOK_SECRET}")
    drafts.plan_bulk_action(
        action=drafts.BulkAction("webhook_host", "new.example"), sids=[sid], created_by="admin"
    )
    return sid


def calls(site, sid):
    """Yield name, address and form data of every URL, and of the flow's URLs for the secret flow."""
    for name in URL_NAMES:
        url, data = site.call(name)
        yield name, url, data
        if "sid" in str(url) or site.sid in url:
            yield name, url.replace(site.sid, sid), {"confirm_name": "x"}
    yield "flows:new", f"/flows/new/?clone={sid}", {}
    for form in ("csv", "json"):
        yield "flows:copy-out", "/flows/copy-out/", {"all": "1", "format": form}
    for form in ("csv", "ndjson"):
        yield "audit:export", "/audit/export/", {"what": "all", "format": form}
    for flow in Flow.objects.filter(integration_type="external"):
        yield "flows:detail", f"/flows/{flow.sid}/", {}
        yield "flows:code", f"/flows/{flow.sid}/code/", {}
        yield "flows:webhook", f"/flows/{flow.sid}/webhook/", {}
        yield "flows:webhook-test", f"/flows/{flow.sid}/webhook/test/", {"text": "x", "review": "1"}
        yield "flows:delete", f"/flows/{flow.sid}/delete/", {"confirm_name": "x"}
    for event in AuditEvent.objects.filter(action="flow.drift"):
        yield "audit:detail", f"/audit/{event.event_id}/", {}
    yield "audit:verification", "/audit/verification/", {"act": "head"}
    yield "audit:list", f"/audit/?sid={sid}", {}
    yield "flows:list", "/flows/?q=hooks", {}


def test_palette_contains_no_secret(site: SampleSite, secret_flow, canaries):
    client = site.client("admin")
    texts = ("", "hooks", "see", "external", secret_flow, "admin", HOOK_SECRET[:6])

    answers = [
        search_palette(client, text, page=f"/flows/{secret_flow}/").content.decode()
        for text in texts
    ]

    assert [find_leaks(answer, canaries) for answer in answers] == [[]] * len(texts)
    assert secret_flow in answers[0]


@pytest.mark.quick
def test_no_page_file_log_line_or_table_contains_a_secret(
    site: SampleSite, secret_flow, canaries, caplog
):
    caplog.set_level(logging.DEBUG)
    secrets_found = {}
    for name, url, data in calls(site, secret_flow):
        for method in ("GET", "POST"):
            client = site.client("admin")  # one of the calls signs out
            canaries.add(client.session.session_key)
            response = send_form(client, method, url, data if method == "POST" else {})
            output = read_body(response).decode() + str(response.headers)
            allowed = {HOOK_SECRET} if name in FORM_VIEWS else set()
            if leaked := find_leaks(output, canaries - allowed):
                secrets_found[name, method, url[-40:]] = leaked

    assert secrets_found == {}
    assert find_leaks(caplog.text, canaries) == []
    assert find_leaks(str(dump_database(without=IGNORED_TABLES)), canaries) == []
    assert len(caplog.records) > 10
    edit = site.client("admin").get(f"/flows/{secret_flow}/edit/")
    # The search finds a secret where there is one.
    assert HOOK_SECRET in html.unescape(edit.content.decode())


def test_webhook_that_sends_everything_back_reveals_no_secret(
    site: SampleSite, canaries, caplog, settings
):
    """A handler answers with the whole request: URL, login, signature and text."""
    caplog.set_level(logging.DEBUG)
    settings.WEBHOOK_TEST_ALLOWED_NETWORKS = LOOPBACK
    client = site.client("admin")
    with Receiver(echo=True) as handler:
        url = f"http://twilio:{HOOK_SECRET}@127.0.0.1:{handler.port}/in/{HOOK_SECRET}?token={HOOK_SECRET}"
        sid = site.sandbox.add_flow(integration_type="external", integration_url=url)
        sync_account(ACCOUNT)
        page = f"/flows/{sid}/webhook/test/"
        data = {**form_data(client.get(page)), "text": f"token={HOOK_SECRET}"}
        review = client.post(page, {**data, "review": "1"})
        result = client.post(page, data, follow=True)
    event = AuditEvent.objects.filter(action="flow.webhook_test").latest("seq")
    pages = [result, client.get(f"/audit/{event.event_id}/"), client.get(f"/flows/{sid}/")]

    [post] = handler.posts
    canaries |= {post.headers["X-Twilio-Signature"], post.headers["Authorization"].split()[1]}
    assert event.payload.after["answer"].count("masked-") > 3
    assert HOOK_SECRET in review.content.decode()  # the form that the user has typed
    assert [find_leaks(read_body(one).decode(), canaries) for one in pages] == [[], [], []]
    assert find_leaks(caplog.text, canaries) == []
    assert find_leaks(str(dump_database(without=IGNORED_TABLES)), canaries) == []
    assert find_leaks(repr(django_settings.FLEX_ACCOUNTS), canaries) == []


@pytest.mark.parametrize("hook_url", [HOOK_URL, HOOK_URLS[1], HOOK_URLS[7]], indirect=True)
def test_error_of_twilio_shows_no_secret(site: SampleSite, secret_flow, hook_url, canaries, caplog):
    caplog.set_level(logging.DEBUG)
    client, output = site.client("admin"), []
    faults = (
        FaultKind.REFUSE,
        FaultKind.SERVER_ERROR,
        FaultKind.APPLY_THEN_DROP,
        FaultKind.GARBAGE,
    )
    for fault in faults:
        message = (
            f"Invalid parameter Integration.Url: {hook_url}&key={HOOK_SECRET} is no address"
            if fault == FaultKind.REFUSE
            else None
        )
        site.sandbox.inject(Fault(fault, method="POST", message=message))
        url, data = site.call("flows:enabled")
        response = client.post(url.replace(site.sid, secret_flow), data, follow=True)
        output.append(response.content.decode())
    output.append(client.get("/audit/").content.decode())

    assert find_leaks("\n".join(output), canaries) == []
    assert find_leaks(caplog.text, canaries) == []
    assert find_leaks(str(dump_database(without=IGNORED_TABLES)), canaries) == []


@pytest.mark.parametrize("debug", [False, True], ids=["debug off", "debug on"])
@pytest.mark.parametrize("hook_url", [HOOK_URL], indirect=True)
def test_error_page_shows_no_secret(
    site: SampleSite, secret_flow, canaries, caplog, settings, debug
):
    caplog.set_level(logging.DEBUG)
    settings.DEBUG = debug
    client = site.client("admin")
    client.raise_request_exception = False
    client.session.save()
    canaries.add(client.session.session_key)
    url = f"/flows/{secret_flow}/edit/"
    form = client.get(url).context["form"]
    data = {"base": form["base"].value(), "change_id": str(form["change_id"].value()), "friendly_name": "x",
            "integration_type": "external", "integration_url": HOOK_URL}  # fmt: skip
    secrets_found, failure_count = {}, 0

    def fail(*args, **_kwargs):
        local_secrets = (
            HOOK_URL,
            PASSWORD,
            django_settings.AUDIT_KEY,
        )  # in a variable of the fail function
        raise RuntimeError(f"after {len(local_secrets)} of {len(args)}")

    for broken_function in ("flows.mirror.mirror.fetch", "flows.twilio.client.ResourceClient._exchange",
                   "flows.changes.flow_changes.update_flow", "flows.audit.audit_log.LogTransaction.append", "flows.flex_flows.views.create_and_edit.render_form"):  # fmt: skip
        for error in (RuntimeError, OperationalError):
            with mock.patch(
                broken_function, side_effect=fail if error is RuntimeError else error("gone")
            ):
                for response in (
                    client.get(url),
                    client.post(url, data),
                    client.post(url, {**data, "password": PASSWORD}),
                ):
                    failure_count += response.status_code >= 500
                    # Status 503 is the form again, which shows what was typed.
                    if response.status_code == 500 and (
                        leaked := find_leaks(response.content.decode(), canaries)
                    ):
                        secrets_found[broken_function, response.status_code] = leaked

    assert secrets_found == {}
    assert failure_count > 10
    assert find_leaks(caplog.text, canaries) == []


@pytest.mark.parametrize("debug", [False, True], ids=["debug off", "debug on"])
def test_failed_sign_in_stores_and_logs_no_password(
    site: SampleSite, canaries, caplog, settings, debug
):
    caplog.set_level(logging.DEBUG)
    settings.DEBUG = debug
    client, credentials = (
        site.client("anonymous"),
        {"username": "admin", "login": "admin", "password": PASSWORD},
    )
    client.raise_request_exception = False

    wrong = client.post("/login/", credentials)
    with (
        mock.patch("django.contrib.auth.hashers.check_password", side_effect=RuntimeError),
        mock.patch("django.contrib.auth.base_user.check_password", side_effect=RuntimeError),
    ):
        broken_function = client.post("/login/", credentials)

    assert wrong.status_code < 500 <= broken_function.status_code
    assert (
        find_leaks(
            wrong.content.decode() + broken_function.content.decode() + caplog.text, canaries
        )
        == []
    )
    assert find_leaks(str(dump_database()), canaries) == []


@pytest.mark.parametrize("hook_url", [HOOK_URL, HOOK_URLS[3]], indirect=True)
@pytest.mark.django_db(transaction=True)
def test_no_command_prints_a_secret(
    site: SampleSite, secret_flow, canaries, caplog, monkeypatch, tmp_path, capfd
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
        ["erase_personal_data", "--flow", secret_flow, "--reason", f"see {HOOK_URL}"],
        ["check"],
    ):
        try:
            call_command(*command, stdout=out, stderr=out)
        except CommandError as error:  # of the erasure, because Twilio still has the flow
            out.write(str(error))

    files = "".join(file.read_text() for file in tmp_path.iterdir())
    streams = "".join(capfd.readouterr())
    assert len(files) > 1000
    assert find_leaks(out.getvalue() + files + streams + caplog.text, canaries) == []
    assert find_leaks(str(dump_database()), canaries) == []


@pytest.mark.quick
def test_representation_of_accounts_contains_no_secret(canaries):
    """Log lines and failed assertions write objects in this form."""
    representations = [repr(value) for value in vars(HttpRequest()).values()]
    accounts = getattr(django_settings, "FLEX_ACCOUNTS", "")

    assert "sandbox-secret" not in repr(accounts) + str(representations)
