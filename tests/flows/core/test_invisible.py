"""Invisible characters in pasted text are removed, named or refused. Names are compared as shown."""

import html
import json
import re
import uuid

import pytest

from flows.changes.forms.reason import DeleteForm, ReasonForm
from flows.core import invisible
from flows.flex_flows.forms import FlowForm
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.search.flow_search import find_exact_match
from tests import ACCOUNT
from tests.conftest import form_data

HIDDEN = ["\u200b", "\ufeff", "\u202a", "\u202c", "\u200e", "\u2060", "\u00ad", "\u3164", "\u2066"]
SID = "FO" + "1" * 32
VALID = {
    "change_id": str(uuid.uuid4()), "friendly_name": "Lyon", "channel_type": "sms", "chat_service_sid": "IS" + "1" * 32,
    "contact_identity": "+33199000123", "integration_type": "studio", "integration_flow_sid": "FW" + "1" * 32,
    "integration_retry_count": "2",
}  # fmt: skip


@pytest.mark.parametrize("character", [*HIDDEN, "\u00a0", " ", "\u2003"], ids=ascii)
@pytest.mark.parametrize(
    "name",
    [
        "chat_service_sid",
        "integration_flow_sid",
        "contact_identity",
        "integration_retry_count",
    ],
)
def test_invisible_character_around_a_value_is_removed(name, character):
    form = FlowForm(VALID | {name: f"{character}{VALID[name]}{character}"})

    assert form.is_valid(), form.errors
    assert str(form.values[name]) == VALID[name]


@pytest.mark.parametrize("character", HIDDEN, ids=ascii)
@pytest.mark.parametrize("name", ["chat_service_sid", "contact_identity"])
def test_invisible_character_in_a_sid_or_number_is_removed(name, character):
    form = FlowForm(VALID | {name: VALID[name][:5] + character + VALID[name][5:]})

    assert form.is_valid(), form.errors
    assert form.values[name] == VALID[name]


@pytest.mark.parametrize("character", HIDDEN, ids=ascii)
def test_invisible_character_in_a_url_is_named(character):
    url = f"https://h.exam{character}ple/in"
    form = FlowForm(VALID | {"integration_type": "external", "integration_url": url})

    assert not form.is_valid()
    (error,) = form.errors["integration_url"]
    assert error.startswith("Webhook URL contains ")
    assert f"(U+{ord(character):04X})" in error
    assert form["integration_url"].value() == url


@pytest.mark.parametrize("text", ["\u200b", "\u3164", " \u200b \ufeff", "\u202a\u202c"], ids=ascii)
@pytest.mark.parametrize(
    "name", ["friendly_name", "contact_identity", "chat_service_sid", "integration_flow_sid"]
)
def test_text_of_only_invisible_characters_is_refused(name, text):
    form = FlowForm(VALID | {name: text})

    assert not form.is_valid()
    assert form.errors[name][0].endswith("contains only invisible characters.")


def test_name_keeps_direction_overrides():
    form = FlowForm(VALID | {"friendly_name": "\u202eesrever\u202c"})

    assert form.is_valid()
    assert form.values["friendly_name"] == "\u202eesrever\u202c"


@pytest.mark.django_db
def test_review_names_invisible_characters(sandbox, client_of):
    page = client_of("operator").post(
        "/flows/new/", VALID | {"friendly_name": "Ly\u200bon", "review": "1"}
    )

    assert "Friendly name contains invisible characters: U+200B." in html.unescape(
        page.content.decode()
    )


def test_reason_of_only_invisible_characters_is_refused():
    form = ReasonForm({"change_id": VALID["change_id"], "reason": "\u200b"})

    assert form.errors["reason"] == ["Reason contains only invisible characters."]


def test_emoji_and_scripts_keep_their_joiners():
    for name in ("Team 👩\u200d💻", "می\u200cخواهم"):
        form = FlowForm(VALID | {"friendly_name": name})

        assert form.is_valid()
        assert form.values["friendly_name"] == name


# Confirming a deletion by the name


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Re\u0301clamations", "Réclamations"), ("Réclamations", "Re\u0301clamations"), ("Lyon\u00a0Nord", "Lyon Nord"),
        ("Lyon  Nord ", "Lyon Nord"), ("\u200bLyon", "Lyon"), ("Lyon\u202e", "Lyon⟨U+202E⟩"), ("Lyon\u200e", "Lyon"), ("Lyon\u200b", "Lyon⟨U+200B⟩"), ("Lyon\u3164", "Lyon"),
        ("Lyon", "Lyon\u200b"), ("Lyon", " Lyon\u00a0"), ("Team 👩\u200d💻", "Team 👩\u200d💻"), ("La\u2003Paz", "La Paz"), ("A\u2028B", "A B"),
    ],
    ids=ascii,
)  # fmt: skip
def test_name_is_confirmed_as_a_page_shows_it(name, typed):
    form = DeleteForm(
        {"change_id": VALID["change_id"], "confirm_name": typed}, expected=name, sid=SID
    )

    assert form.is_valid(), form.errors


@pytest.mark.parametrize(
    ("name", "typed"),
    [("Lyon", "lyon"), ("Lyon", "Lyon 2"), ("Réclamations", "Reclamations"), ("\u202enoyL", "noyL"), ("\u200b", "\u200b"), ("\u200b", "⟨U+200B⟩"), ("\u3164", "\u3164")],
    ids=ascii,
)  # fmt: skip
def test_another_name_does_not_confirm(name, typed):
    form = DeleteForm(
        {"change_id": VALID["change_id"], "confirm_name": typed}, expected=name, sid=SID
    )

    assert not form.is_valid()


def test_sid_confirms_an_invisible_name():
    form = DeleteForm(
        {"change_id": VALID["change_id"], "confirm_name": f"\u200b{SID} "},
        expected="\u200b",
        sid=SID,
    )

    assert form.is_valid()


@pytest.mark.django_db
def test_flow_is_deleted_by_the_name_that_its_page_shows(sandbox, client_of):
    sid = sandbox.add_flow(friendly_name="Re\u0301clamations\u00a0Lyon\u200b")
    sync_account(ACCOUNT)
    client = client_of("admin")
    page = client.get(f"/flows/{sid}/delete/")
    displayed_name = html.unescape(
        re.sub(r"<[^>]+>", "", re.search(r'class="to-type">(.*?)</bdi>', page.content.decode())[1])
    )

    response = client.post(
        f"/flows/{sid}/delete/", form_data(page) | {"confirm_name": displayed_name}
    )

    assert response.status_code == 302
    assert sid not in sandbox.flows


# Searches


@pytest.mark.django_db
@pytest.mark.parametrize("character", ["\u200b", "\ufeff", "\u202a", "\u00a0"], ids=ascii)
def test_pasted_sid_and_number_find_their_flow(client_of, flow_sid, character):
    client = client_of("viewer")

    for text in (f"{character}{flow_sid}{character}", f"{character}+33 199 000 123{character}"):
        assert find_exact_match(text) == flow_sid
    assert client.get("/flows/", {"q": f"{character}{flow_sid[:12]}"}).context["results"].total == 1
    assert (
        client.get(
            "/flows/", {"q": flow_sid[:9] + character.replace("\u00a0", "") + flow_sid[9:]}
        ).status_code
        == 302
    )
    assert client.get("/audit/", {"sid": f"{character}{flow_sid}"}).context["query"].sid == flow_sid
    assert Flow.objects.count() == 1


def test_invisible_characters_are_removed_or_listed():
    assert invisible.strip_invisible("a\u200bb\u00a0c") == "ab c"
    assert invisible.trim_invisible("\u200b a\u200bb \ufeff") == "a\u200bb"
    assert (
        invisible.format_code_points(invisible.find_invisible("a\u200bb\u200b\ufeff"))
        == "U+200B, U+FEFF"
    )


@pytest.mark.parametrize(
    "name", ["https://x.example bookings S3CRET", "//x.example/S3CRET", "token: S3CRET9"]
)
@pytest.mark.django_db
def test_import_reports_a_name_that_contains_a_secret(client_of, name):
    entry = {key: value for key, value in VALID.items() if key != "change_id"} | {
        "friendly_name": name
    }

    response = client_of("operator").post(
        "/flows/plans/import/", {"entries": f"[{json.dumps(entry)}]"}, follow=True
    )

    assert response.status_code == 200
    assert "Friendly name contains a secret" in html.unescape(response.content.decode())
