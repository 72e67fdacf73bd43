"""Parts of pages that are remembered: rendered once for the same values, and again for others."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template import Context, Template, engines
from django.utils.functional import SimpleLazyObject
from django.utils.safestring import SafeString

from flows.mirror.sync import sync_account
from tests import ACCOUNT

pytestmark = pytest.mark.django_db
TEMPLATES = Path(settings.BASE_DIR) / "templates"
PART = re.compile(r'{% remembered "([^"]+)"')
INCLUDED = re.compile(r'{% include "([^"]+)"')
# Of the clock, of the user's time zone, and of one request.
UNFIT = re.compile(
    r"\|(ago|when|shown|inline_timestamp|table_timestamp|day_label)\b|{% now |csrf_token|\brequest\.|\bperms\."
)


def draw(name="chosen", **context):
    source = '{% load remembered %}{% remembered "_filter_select.html" "options" name=name %}'
    return Template(source).render(Context({"name": name, **context}))


@pytest.mark.parametrize("value", ["<b>", SafeString("<b>"), 1, True, 1.0, None])
def test_values_that_are_equal_but_look_different_are_drawn_apart(value):
    drawn = {draw(name=other) for other in ("<b>", SafeString("<b>"), 1, True, 1.0, None)}

    expected = Template('<select name="{{ name }}">').render(Context({"name": value}))
    assert len(drawn) == 6
    assert expected in draw(name=value)


def test_part_sees_nothing_but_its_values():
    assert "Lyon" not in draw(label="Lyon")
    assert "Lyon" in draw(label="Paris", options=[("1", "Lyon")])
    assert "Lyon" not in draw(label="Lyon", options=[("1", "Gent")])


def test_list_that_grows_is_drawn_anew():
    options = [("1", "Lyon")]
    assert "Gent" not in draw(options=options)

    options.append(("2", "Gent"))

    assert "Gent" in draw(options=options)


def test_developer_sees_a_template_as_it_is_now(settings, tmp_path):
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [str(tmp_path)]}]
    source = Template('{% load remembered %}{% remembered "part.html" %}')
    part = tmp_path / "part.html"
    shown = {}
    for is_developer in (False, True):
        settings.DEBUG = is_developer
        for text in ("before", "after"):
            part.write_text(text)
            engines["django"].engine.template_loaders[0].reset()
            shown[is_developer, text] = source.render(Context())

    assert shown[False, "after"] == "before"
    assert shown[True, "after"] == "after"


def test_lazy_value_is_that_of_each_request():
    for name in ("ada", "omar"):
        assert f'name="{name}"' in draw(name=SimpleLazyObject(lambda name=name: name))


def remembered_templates():
    """Return the templates of all parts, with those that they include."""
    texts = [path.read_text() for path in TEMPLATES.rglob("*.html")]
    names = {name for text in texts for name in PART.findall(text)}
    while (
        included := {
            name for part in names for name in INCLUDED.findall((TEMPLATES / part).read_text())
        }
        - names
    ):
        names |= included
    return sorted(names)


@pytest.mark.parametrize("name", remembered_templates())
def test_no_part_shows_what_differs_from_request_to_request(name):
    assert not UNFIT.findall((TEMPLATES / name).read_text())


def test_frame_is_that_of_each_user_and_moment(client_of, sandbox, flow_sid):
    admin, viewer = client_of("admin"), client_of("viewer")
    users_link, count = 'href="/people/"', '<span class="count">'
    before = [client.get("/flows/").content.decode() for client in (admin, viewer, admin)]
    assert [users_link in page for page in before] == [True, False, True]
    assert [f"<bdi>{name}</bdi>" in before[1] for name in ("viewer", "admin")] == [True, False]
    assert not any(count in page for page in before)

    sandbox.edit_flow(flow_sid, friendly_name="Changed elsewhere")
    sync_account(ACCOUNT)

    assert all(count in client.get("/flows/").content.decode() for client in (admin, viewer))


def test_filters_count_the_flows_that_there_are_now(client_of, sandbox, flow_sid):
    client = client_of("viewer")
    assert "SMS (1)</option>" in client.get("/flows/").content.decode()

    sandbox.add_flow(channel_type="sms")
    sync_account(ACCOUNT)

    assert "SMS (2)</option>" in client.get("/flows/").content.decode()
    assert "1 to" not in client.get("/flows/").content.decode()


def test_actions_on_many_flows_are_those_of_the_user(client_of, flow_sid):
    for _ in range(2):
        assert "Turn off</option>" in client_of("operator").get("/flows/").content.decode()
        assert "Turn off</option>" not in client_of("viewer").get("/flows/").content.decode()
