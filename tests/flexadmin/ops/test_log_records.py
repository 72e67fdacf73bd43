"""Logging to standard error: each request once, with its id, and no secret in any spelling."""

import io
import json
import logging
import uuid
from contextlib import contextmanager
from urllib.parse import quote

import pytest
from django.conf import settings as django_settings

from flexadmin.ops import log_records
from flows.core.terminal_text import escape_line
from tests.faults.acting import own_events
from tests.flexadmin.test_settings import WHOLE, shown

CANARY = "c4n4ry-+/='\"7f3a"


@contextmanager
def written(formatter):
    """Collect everything that is logged, as it is written."""
    stream = io.StringIO()
    handler = log_records.RedactingStderrHandler([CANARY, "c4n4ry-second", "short"])
    handler.setFormatter(formatter)
    handler.setStream(stream)
    logging.getLogger().addHandler(handler)
    try:
        yield stream
    finally:
        logging.getLogger().removeHandler(handler)


@pytest.fixture(params=[log_records.JsonFormatter, log_records.LineFormatter])
def log_stream(request):
    with written(request.param()) as stream:
        yield stream


@pytest.fixture
def records():
    with written(log_records.JsonFormatter()) as stream:
        yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


log = logging.getLogger("flows.test")


def raised(message):
    try:
        try:
            raise ValueError(message)
        except ValueError as error:
            raise LookupError(f"again {message}") from error
    except LookupError:
        log.exception("It failed")


@pytest.mark.parametrize(
    "tell",
    [
        lambda: log.warning(CANARY),
        lambda: log.warning("in %s", CANARY),
        lambda: log.warning("in %(it)s", {"it": CANARY}),
        lambda: log.warning("in %r", {"password": CANARY}),
        lambda: log.warning("in %s", quote(CANARY, safe="")),
        lambda: log.warning("in %s", json.dumps(CANARY)),
        lambda: log.warning("in %s and %s", "c4n4ry-second", CANARY),
        lambda: log.warning(
            "in %s", "x" * (log_records.MAX_LENGTH // 2 - 12) + CANARY + "y" * 99_999
        ),
        lambda: raised(CANARY),
        lambda: raised("https://user:c4n4ry@host.example/in"),
        lambda: raised("GET /in?team=care&token=c4n4ry"),
        lambda: log.warning("at", stack_info=True, extra={"path": f"/{CANARY}/"}),
        lambda: log.warning("postgres://flex:c4n4ry@db.example:5432/flex did not answer"),
        lambda: log.warning("https://host.example/in?team=care&api_key=c4n4ry&x=1"),
        lambda: log.warning("Authorization: Basic c4n4ry0123456789=="),
        lambda: log.warning("Authorization: Digest username=c4n4ry"),
        lambda: log.warning("%s", {"Authorization": "Token c4n4ry"}),
        lambda: log.warning("%s", {"authorization": b"Bearer c4n4ry-abc"}),
        lambda: log.warning("it sent Bearer c4n4ry-abc"),
        lambda: log.warning("%s %s", CANARY),  # what logging itself says of this shows all
        lambda: log.warning("x", extra={"request": CANARY, "status": 200}),
    ],
)
def test_no_secret_is_logged(log_stream, tell, capsys, monkeypatch):
    monkeypatch.setattr(logging, "raiseExceptions", True)
    shown_by_others = [
        handler
        for handler in logging.getLogger().handlers
        if type(handler) is not log_records.RedactingStderrHandler
    ]
    for handler in shown_by_others:  # pytest's own, which would raise
        monkeypatch.setattr(handler, "handle", lambda _record: True)

    tell()

    output = log_stream.getvalue() + capsys.readouterr().err
    assert output
    assert "c4n4ry" not in output


def test_long_text_is_shortened_to_its_beginning_and_its_end(log_stream):
    """A library may log what a server sent: megabytes, in which to look for secrets takes minutes."""
    log.warning("Failed to parse %s: the end", "X: y\n" * 1_000_000)

    output = log_stream.getvalue()
    assert len(output) < 2 * log_records.MAX_LENGTH
    for part in ("Failed to parse X: y", "4968025 characters omitted", "the end"):
        assert part in output


def test_ordinary_text_is_not_masked(log_stream):
    log.warning(
        "short %s", "POST /v1/FlexFlows/FO1 200 31 ms RQ1, see https://host.example/in?team=care"
    )

    assert (
        "short POST /v1/FlexFlows/FO1 200 31 ms RQ1, see https://host.example/in?team=care"
        in log_stream.getvalue()
    )


def test_record_is_not_changed_for_other_handlers(log_stream, caplog):
    raised(CANARY)

    assert CANARY in caplog.text
    assert caplog.records[0].exc_info


@pytest.mark.django_db
def test_each_request_is_logged_once(records, client_of, caplog):
    caplog.set_level("INFO", "flexadmin")
    client = client_of("viewer")

    answer = client.get("/flows/?q=%2B4915550100200")

    (line,) = [record for record in records() if record["logger"] == "flexadmin.access"]
    assert line.pop("duration_ms") >= 0
    assert line.pop("time").endswith("+00:00")
    assert line.pop("message").startswith("GET /flows/ 200 ")
    assert line == {
        "level": "INFO",
        "logger": "flexadmin.access",
        "request_id": answer["X-Request-Id"],
        "method": "GET",
        "path": "/flows/",
        "status": 200,
        "person": int(client.session["_auth_user_id"]),
    }


@pytest.mark.django_db
def test_health_checks_and_static_files_are_not_logged(records, client, caplog):
    caplog.set_level("INFO", "flexadmin")

    client.get("/health/live/")
    client.get("/static/app.css").close()

    assert records() == []


@pytest.mark.django_db(transaction=True)
def test_all_lines_of_a_request_have_the_id_of_its_event(
    records, sandbox, flow_sid, client_of, caplog
):
    caplog.set_level("INFO")
    client = client_of("operator")
    form = {"enabled": "false", "reason": "because", "change_id": str(uuid.uuid4())}

    before = len(records())

    client.post(f"/flows/{flow_sid}/enabled/", form)

    lines = records()[before:]
    assert {line["logger"] for line in lines} >= {"flexadmin.access", "flows.twilio.client"}
    assert {line.get("request_id") for line in lines} == {str(own_events().last().request_id)}
    assert log_records.request_id.get() == ""


@pytest.mark.django_db
def test_failure_is_logged_with_its_trace_and_without_its_query(
    records, client_of, sandbox, monkeypatch
):
    def broken(*_args):
        raise RuntimeError(f"broken by {CANARY}")

    monkeypatch.setattr("flows.search.flow_search.Query.of", broken)
    client = client_of("viewer")
    client.raise_request_exception = False

    client.get("/flows/?q=c4n4ry")

    (line,) = [record for record in records() if record["level"] == "ERROR"]
    assert "RuntimeError: broken by masked" in line["exception"]
    assert "c4n4ry" not in json.dumps(line)


def test_every_configured_secret_is_masked():
    handler = django_settings.LOGGING["handlers"]["stderr"]
    assert {
        django_settings.SECRET_KEY,
        django_settings.AUDIT_KEY,
        django_settings.FLEX_ACCOUNTS[0].auth[1],
    } <= set(handler["secrets"])
    assert (
        django_settings.FLEX_ACCOUNTS[0].auth[0] not in handler["secrets"]
    )  # it says who, and is no secret


USES = """
import logging, django
django.setup()
from django.conf import settings
for value in (settings.SECRET_KEY, settings.AUDIT_KEY, settings.FLEX_ACCOUNTS[0].auth[1], "c4n4ry-database", "fallback-1"):
    logging.getLogger("elsewhere").warning("it is %s", value)
"""


def test_site_masks_its_own_secrets(tmp_path, capfd):
    secrets = {
        "TWILIO_API_SECRET": "c4n4ry-twilio",
        "DATABASE_URL": "postgres://u:c4n4ry-database@127.0.0.1:1/n",
    }

    shown(
        USES,
        **{**WHOLE, **secrets, "SECRET_KEY_FALLBACKS": "fallback-1,fallback-2"},
        to=tmp_path / "log",
    )

    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [line["message"] for line in lines] == ["it is masked"] * 5


FORGED = "2026-11-25 20:00:00,000 INFO flexadmin.signin.auth_events POST /people/1/role/ 302 12 ms"
LINE_ENDS = ["\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]


@pytest.fixture
def lines():
    with written(log_records.LineFormatter()) as stream:
        yield lambda: stream.getvalue().removesuffix("\n").splitlines()


@pytest.mark.parametrize("end", LINE_ENDS, ids=ascii)
@pytest.mark.parametrize("quote", ["%s", "%r", "in a sentence %s"])
def test_record_is_one_line_whatever_it_quotes(lines, end, quote):
    log.warning(quote, f"/x{end}{FORGED}")

    (line,) = lines()
    assert " WARNING flows.test " in line


@pytest.mark.parametrize(
    "sign", ["\x1b[2J", "\x9b2J", "\x07", "\x7f", "\x00", "\b", "\u202e", "\u2066"], ids=ascii
)
def test_control_characters_are_escaped(lines, sign):
    log.warning("name %s end", sign)

    (line,) = lines()
    assert not set(line) & set(sign) - set(map(chr, range(32, 127)))
    assert line.endswith("end")


def test_lone_surrogate_can_be_written():
    assert escape_line("name \ud800 end") == "name \\ud800 end"


def test_letters_of_other_languages_are_not_escaped(lines):
    log.warning("Störungsmeldung 予約 العربية 👩‍💻 a\\b")

    (line,) = lines()
    assert line.endswith("Störungsmeldung 予約 العربية 👩‍💻 a\\b")


@pytest.mark.parametrize("end", LINE_ENDS, ids=ascii)
def test_no_line_of_a_traceback_looks_like_a_record(lines, end):
    raised(f"broken by{end}{FORGED}")

    first, *rest = lines()
    assert first.endswith("ERROR flows.test It failed")
    assert rest
    assert all(line.startswith("    ") for line in rest)
    assert any("LookupError: again broken by" in line for line in rest)


def test_no_line_of_a_stack_looks_like_a_record(lines):
    log.warning("at", stack_info=True)

    first, *rest = lines()
    assert first.endswith("WARNING flows.test at")
    assert rest
    assert all(line.startswith("    ") for line in rest)


def test_request_id_ends_the_line_it_belongs_to(lines):
    token = log_records.request_id.set("1-2-3")
    try:
        raised("no")
    finally:
        log_records.request_id.reset(token)

    assert lines()[0].endswith("It failed 1-2-3")


@pytest.mark.django_db
def test_path_of_a_request_writes_no_second_line(lines, client, caplog):
    caplog.set_level("INFO", "flexadmin")

    client.get(f"/x%0a{quote(FORGED)}")

    assert len(lines()) == 1
    assert "/x\\n2026-11-25" in lines()[0]
