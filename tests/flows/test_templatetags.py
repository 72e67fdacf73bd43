"""Filters and tags that format times, values, SIDs, flows and events."""

from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, Template
from django.utils import timezone

from flows.audit import event_text
from flows.audit.models import AuditEvent, AuditPayload, Result
from flows.core import safe_text, time_text
from flows.mirror.models import Flow
from flows.templatetags import formatting as tags
from flows.twilio.flex.flex_flow import FLEX_FLOW

FLOW_SID = "FO" + "1a" * 16
STUDIO_SID = "FW" + "2b" * 16


def make_event(action, result=Result.SUCCEEDED, fields=(), **payload):
    event = AuditEvent(seq=1, action=action, result=result, changed_fields=list(fields))
    if payload:
        event.payload = AuditPayload(**payload)
    return event


def make_flow(**resource):
    return Flow(sid=FLOW_SID, resource=resource)


class TestWhen:
    def test_time_is_in_utc_with_its_age(self, monkeypatch):
        monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 11, 20, 13, 50, tzinfo=UTC))
        html = tags.when(datetime(2026, 11, 20, 10, 42, 3, tzinfo=UTC))
        assert ">20 Nov 2026, 10:42 UTC</time> 3\N{NO-BREAK SPACE}h\N{NO-BREAK SPACE}ago" in html
        assert 'datetime="2026-11-20 10:42:03Z"' in html
        assert 'title="2026-11-20 10:42:03 UTC"' in html

    @pytest.mark.parametrize(
        ("zone", "expected"),
        [
            ("Europe/Berlin", ">20 Nov 2026, 23:30 CET</time>"),
            ("Asia/Kolkata", ">21 Nov 2026, 04:00 IST</time>"),
            ("America/Sao_Paulo", ">20 Nov 2026, 19:30 UTC-3</time>"),
            ("Asia/Kathmandu", ">21 Nov 2026, 04:15 UTC+5:45</time>"),
        ],
    )
    def test_time_is_in_the_users_zone_with_utc_in_its_tooltip(self, zone, expected):
        with timezone.override(zone):
            html = tags.when(datetime(2026, 11, 20, 22, 30, 3, tzinfo=UTC))

        assert expected in html
        assert 'title="2026-11-20 22:30:03 UTC"' in html
        assert 'datetime="2026-11-20 22:30:03Z"' in html

    def test_time_of_today_has_no_date(self, monkeypatch):
        monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 11, 20, 22, 50, tzinfo=UTC))
        yesterday_there = datetime(2026, 11, 20, 14, 59, tzinfo=UTC)
        with timezone.override("Asia/Tokyo"):
            assert ">00:10 JST</time>" in time_text.inline_timestamp(
                datetime(2026, 11, 20, 15, 10, tzinfo=UTC)
            )
            assert ">20 Nov 2026, 23:59 JST</time>" in time_text.inline_timestamp(yesterday_there)

    @pytest.mark.parametrize("year", [1, 9999])
    def test_time_at_the_end_of_the_calendar_stays_in_utc(self, year):
        moment = datetime(year, 12, 31, 23, tzinfo=UTC)
        if year == 1:
            moment = datetime(1, 1, 1, 1, tzinfo=UTC)
        for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
            with timezone.override(zone):
                assert "<time" in tags.when(moment)

    def test_twilios_text_is_accepted(self):
        assert "4 Jan 2026, 09:00 UTC" in tags.when("2026-01-04T09:00:00Z")

    def test_text_that_is_not_a_time_is_unchanged(self):
        assert tags.when("<yesterday>") == "<bdi>&lt;yesterday&gt;</bdi>"
        assert "Unknown" in tags.when(None)

    @pytest.mark.parametrize(
        ("seconds", "words"),
        [
            (0.2, "just now"),
            (12, "12 s ago"),
            (61, "1 min ago"),
            (7300, "2 h ago"),
            (90_000, "1 d ago"),
            (40 * 86_400, "1 mo ago"),
            (800 * 86_400, "2 y ago"),
            (-300, "in 5 min"),
        ],
    )
    def test_age_has_the_largest_unit_that_fits(self, monkeypatch, seconds, words):
        now = datetime(2026, 11, 20, tzinfo=UTC)
        monkeypatch.setattr(timezone, "now", lambda: now)
        assert time_text.ago(now - timedelta(seconds=seconds)) == words

    def test_missing_time_has_a_text(self):
        assert time_text.ago(None) == "never"


class TestFormatValue:
    @pytest.mark.parametrize("value", [None, ""])
    def test_unset_value(self, value):
        assert "Not set" in tags.format_value(value)

    @pytest.mark.parametrize(("value", "words"), [(True, "Yes"), (False, "No")])
    def test_booleans(self, value, words):
        assert tags.format_value(value) == words

    def test_zero_is_a_value(self):
        assert tags.format_value(0) == "<bdi>0</bdi>"

    def test_markup_is_escaped(self):
        assert (
            tags.format_value("<script>alert(1)</script>")
            == "<bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi>"
        )
        assert "&lt;b&gt;" in tags.format_value({"<b>": ["é"]})
        assert "é" in tags.format_value(["é"])

    @pytest.mark.parametrize(
        "character",
        [
            "\u202e",
            "\u2066",
            "\u200b",
            "\u00ad",
            "\ufeff",
            "\u2028",
            "\x00",
            "\n",
            "\u3164",
            "\ud800",
            "\U000e0041",
        ],
    )
    def test_invisible_characters_are_written_out(self, character):
        html = tags.format_value(f"a{character}<b")
        assert character not in html
        assert f"⟨U+{ord(character):04X}⟩" in html
        assert html.endswith("&lt;b</bdi>")

    def test_joiners_that_scripts_need_stay(self):
        for text in ("👩\u200d💻", "می\u200cخواهم"):
            assert text in tags.format_value(text)
        assert "⟨U+200D⟩" in tags.format_value("Sup\u200dport")
        assert "⟨U+200D⟩" in tags.format_value("Support\u200d")

    def test_names_in_any_script_are_unchanged(self):
        for text in ("خدمة العملاء", "サポート窓口", "Reservas México"):
            assert safe_text.visible(text) == text


class TestSids:
    def test_long_sid_is_shortened(self):
        assert safe_text.short("FO1a2b3c4d5e6f1a2b3c4d5e6f1a2b9f3c") == "FO1a2b…9f3c"
        assert safe_text.short("sms") == "sms"
        assert safe_text.short(None) == ""

    @staticmethod
    def link(sid, **context):
        return Template("{% sid_link sid %}").render(Context({"sid": sid, **context}))

    def test_flex_flow_links_to_its_page(self):
        assert f'href="/flows/{FLOW_SID}/"' in self.link(FLOW_SID)

    def test_studio_flow_links_to_the_console_only_for_twilio_itself(self):
        assert "https://console.twilio.com/" in self.link(STUDIO_SID, is_twilio=True)
        assert "href" not in self.link(STUDIO_SID, is_twilio=False)

    def test_text_that_is_not_a_sid_is_escaped_without_a_link(self):
        html = self.link('FO"><script>')
        assert "href" not in html
        assert "<script>" not in html


class TestHeadline:
    @pytest.mark.parametrize(
        ("action", "result", "words"),
        [
            ("flow.create", Result.SUCCEEDED, "Created"),
            ("flow.create", Result.FAILED, "Create"),
            ("flow.delete", Result.APPLIED, "Deleted"),
            ("flow.delete", Result.DENIED, "Delete"),
            ("flow.update", Result.UNKNOWN, "Change a flow"),
            ("moon.landing", Result.SUCCEEDED, "moon.landing"),
        ],
    )
    def test_only_an_applied_change_is_in_the_past_tense(self, action, result, words):
        assert event_text.headline(make_event(action, result)) == words

    def test_fields_are_named(self):
        event = make_event("flow.update", fields=["friendly_name", "integration_url"])
        assert event_text.headline(event) == "Changed friendly name, webhook URL"
        event = make_event(
            "flow.update",
            Result.CONFLICT,
            ["integration_flow_sid", "long_lived", "enabled", "new_thing"],
        )
        assert event_text.headline(event) == "Change Studio Flow SID, long-lived, status and 1 more"
        assert event_text.headline(make_event("flow.drift", fields=["new_thing"])).endswith(
            ": new_thing"
        )

    @pytest.mark.parametrize(
        ("result", "payload", "words"),
        [
            (Result.SUCCEEDED, {"after": {"enabled": True}}, "Turned on"),
            (Result.SUCCEEDED, {"after": {"enabled": False}}, "Turned off"),
            (Result.FAILED, {"requested": {"enabled": False}}, "Turn off"),
            (Result.SUCCEEDED, {"after": {}}, "Turned on or off"),
            (Result.PENDING, {"after": None, "requested": None}, "Turn on or off"),
        ],
    )
    def test_turning_on_or_off_has_its_own_text(self, result, payload, words):
        assert (
            event_text.headline(make_event("flow.update", result, ["enabled"], **payload)) == words
        )


def test_every_result_has_a_label_and_a_shape():
    for result in Result.values:
        assert event_text.ending(AuditEvent(result=result)) != result
        assert event_text.shape(AuditEvent(result=result))
    assert event_text.ending(AuditEvent(result="new")) == "new"
    assert event_text.shape(AuditEvent(result="new")) == "none"


def test_fields_and_choices_have_labels():
    assert FLEX_FLOW.label_of("friendly_name") == "Friendly name"
    assert FLEX_FLOW.label_of("brand_new") == "brand_new"
    assert tags.word("sms") == "SMS"
    assert tags.word("pigeon") == "pigeon"


def test_identity_can_break_after_its_colon():
    text = Template("{{ a|visible|allow_breaks }}").render(Context({"a": "whatsapp:<b>+1"}))

    assert text == "whatsapp:<wbr>&lt;b&gt;+1"


def test_time_in_a_table_is_to_the_minute():
    at = timezone.now().replace(year=2020, month=3, day=1, hour=9, minute=5)

    html = time_text.table_timestamp(at)

    assert f"<time>1 Mar 2020, 09:05 UTC</time> {time_text.ago(at)}" == html
    assert "Unknown" in time_text.table_timestamp(None)


def test_value_of_a_query_string_is_quoted():
    assert tags.querystring_of(actor="a&b c") == "actor=a%26b+c"
