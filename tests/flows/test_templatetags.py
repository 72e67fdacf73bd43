"""What the pages say about times, values, SIDs, flows and events."""

from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, Template
from django.utils import timezone

from flows.audit import event_text
from flows.audit.models import AuditEvent, AuditPayload, Result
from flows.core import safe_text, time_text
from flows.mirror.models import Flow
from flows.templatetags import flows as tags
from flows.twilio import labels

FLOW_SID = "FO" + "1a" * 16
STUDIO_SID = "FW" + "2b" * 16


def event(action, result=Result.SUCCEEDED, fields=(), **payload):
    made = AuditEvent(seq=1, action=action, result=result, changed_fields=list(fields))
    if payload:
        AuditPayload(event=made, **payload)
        made.payload = AuditPayload(**payload)
    return made


def flow(**resource):
    return Flow(sid=FLOW_SID, resource=resource)


class TestWhen:
    def test_says_the_time_in_utc_and_how_long_ago(self, monkeypatch):
        monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 11, 20, 13, 50, tzinfo=UTC))
        shown = tags.when(datetime(2026, 11, 20, 10, 42, 3, tzinfo=UTC))
        assert ">20 Nov 2026, 10:42 UTC</time> (3 h ago)" in shown
        assert 'datetime="2026-11-20 10:42:03Z"' in shown
        assert 'title="2026-11-20 10:42:03 UTC"' in shown

    def test_takes_twilios_text(self):
        assert "4 Jan 2026, 09:00 UTC" in tags.when("2026-01-04T09:00:00Z")

    def test_a_time_that_is_none_is_shown_as_it_came(self):
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
    def test_ago(self, monkeypatch, seconds, words):
        now = datetime(2026, 11, 20, tzinfo=UTC)
        monkeypatch.setattr(timezone, "now", lambda: now)
        assert time_text.ago(now - timedelta(seconds=seconds)) == words

    def test_never(self):
        assert time_text.ago(None) == "never"
        assert time_text.clock(None) == "unknown time"
        assert time_text.clock(datetime(2026, 11, 20, 10, 42, tzinfo=UTC)) == "10:42 UTC"


class TestShown:
    @pytest.mark.parametrize("value", [None, ""])
    def test_unset(self, value):
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
        shown = tags.format_value(f"a{character}<b")
        assert character not in shown
        assert f"⟨U+{ord(character):04X}⟩" in shown
        assert shown.endswith("&lt;b</bdi>")

    def test_joiners_stay_where_scripts_need_them(self):
        for text in ("👩\u200d💻", "می\u200cخواهم"):
            assert text in tags.format_value(text)
        assert "⟨U+200D⟩" in tags.format_value("Sup\u200dport")
        assert "⟨U+200D⟩" in tags.format_value("Support\u200d")

    def test_names_in_any_script_are_left_alone(self):
        for text in ("خدمة العملاء", "サポート窓口", "Reservas México"):
            assert safe_text.visible(text) == text


class TestSids:
    def test_short(self):
        assert safe_text.short("FO1a2b3c4d5e6f1a2b3c4d5e6f1a2b9f3c") == "FO1a2b…9f3c"
        assert safe_text.short("sms") == "sms"
        assert safe_text.short(None) == ""

    @staticmethod
    def link(sid, **context):
        return Template("{% sid_link sid %}").render(Context({"sid": sid, **context}))

    def test_a_flex_flow_leads_to_its_page(self):
        assert f'href="/flows/{FLOW_SID}/"' in self.link(FLOW_SID)

    def test_a_studio_flow_leads_to_the_console_at_twilio_only(self):
        assert "https://console.twilio.com/" in self.link(STUDIO_SID, is_twilio=True)
        assert "href" not in self.link(STUDIO_SID, is_twilio=False)

    def test_what_is_no_sid_has_no_link_and_is_inert(self):
        made = self.link('FO"><script>')
        assert "href" not in made
        assert "<script>" not in made


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        ({"integration_type": "studio", "integration_flow_sid": STUDIO_SID}, "Studio Flow FW2b2b…2b2b"),
        ({"integration_type": "studio"}, "Studio Flow not set"),
        ({"integration_type": "external", "integration_url": "https://u:p@hooks.example.com/x?token=1"}, "Webhook hooks.example.com"),
        ({"integration_type": "external", "integration_url": "https://[bad"}, "Webhook not set"),
        ({"integration_type": "task", "integration_workflow_sid": "WW" + "3c" * 16}, "Workflow WW3c3c…3c3c"),
        ({"integration_type": "carrier-pigeon"}, "carrier-pigeon"),
        ({"integration_type": None}, "No handler"),
        ({}, "No handler"),
    ],
)  # fmt: skip
def test_handler(resource, words):
    assert tags.handler(flow(**resource)) == words


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
    def test_only_what_came_to_pass_reads_as_if_it_had(self, action, result, words):
        assert event_text.headline(event(action, result)) == words

    def test_names_the_fields(self):
        made = event("flow.update", fields=["friendly_name", "integration_url"])
        assert event_text.headline(made) == "Changed friendly name, webhook URL"
        many = event(
            "flow.update",
            Result.CONFLICT,
            ["integration_flow_sid", "long_lived", "enabled", "new_thing"],
        )
        assert event_text.headline(many) == "Change Studio Flow SID, long-lived, enabled and 1 more"
        assert event_text.headline(event("flow.drift", fields=["new_thing"])).endswith(
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
    def test_a_switch(self, result, payload, words):
        assert event_text.headline(event("flow.update", result, ["enabled"], **payload)) == words


def test_every_result_has_words_and_a_shape():
    for result in Result.values:
        assert event_text.ending(AuditEvent(result=result)) != result
        assert event_text.shape(AuditEvent(result=result))
    assert event_text.ending(AuditEvent(result="new")) == "new"
    assert event_text.shape(AuditEvent(result="new")) == "none"


def test_labels_and_words():
    assert labels.field_label("friendly_name") == "Friendly name"
    assert labels.field_label("brand_new") == "brand_new"
    assert tags.word("sms") == "SMS"
    assert tags.word("pigeon") == "pigeon"


def test_breakable_breaks_behind_a_colon():
    text = Template("{{ a|visible|allow_breaks }}").render(Context({"a": "whatsapp:<b>+1"}))

    assert text == "whatsapp:<wbr>&lt;b&gt;+1"


def test_what_was_searched_for_is_marked_and_the_text_stays_inert():
    shown = safe_text.marked("<b>Réclam\u202e</b> & reclam", "RECLAM")

    assert shown == (
        "&lt;b&gt;<mark>Réclam</mark>"
        + safe_text.visible("\u202e")
        + "&lt;/b&gt; &amp; <mark>reclam</mark>"
    )
    assert safe_text.marked("Lyon", "") == "Lyon"


def test_row_says_the_time_to_the_minute():
    at = timezone.now().replace(year=2020, month=3, day=1, hour=9, minute=5)

    shown = time_text.table_timestamp(at)

    assert f"<time>2020-03-01 09:05Z</time> {time_text.ago(at)}" == shown
    assert "Unknown" in time_text.table_timestamp(None)


def test_name_in_an_address_is_quoted():
    assert tags.querystring_of(actor="a&b c") == "actor=a%26b+c"


def test_each_word_that_was_searched_for_is_marked():
    assert safe_text.marked("Rechnungen – Hamburg", "hamburg rech") == (
        "<mark>Rech</mark>nungen – <mark>Hamburg</mark>"
    )
