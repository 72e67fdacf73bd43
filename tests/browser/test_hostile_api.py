"""Hostile values from the API are only text in a real browser, also when clicked and focused."""

import pytest
from django.urls import reverse

from flows.audit.models import AuditEvent
from flows.mirror.sync import sync_account
from tests import ACCOUNT
from tests.security.hostile import HOSTILE_VALUES, MARKER, make_hostile_flow

KINDS = [kind for kind, value in HOSTILE_VALUES.items() if len(value) < 1000]
pytestmark = pytest.mark.django_db(transaction=True)


def test_nothing_of_hostile_data_runs_or_is_asked_for(open_page, site, sandbox):
    sids = [sandbox.add_flow(friendly_name="Harmless") for _ in KINDS]
    sync_account(ACCOUNT)
    for sid, kind in zip(sids, KINDS, strict=True):
        sandbox.edit_flow(sid, **make_hostile_flow(kind))
    sync_account(ACCOUNT)
    page, requested = open_page("admin"), []
    page.on("request", lambda request: requested.append(request.url))
    page.on("dialog", lambda dialog: requested.append(f"dialog {dialog.message}"))
    event = AuditEvent.objects.filter(action="flow.drift").latest("seq").event_id

    paths = [reverse("home"), reverse("flows:list"), f"{reverse('flows:list')}?q=zz", reverse("audit:list"), reverse("flows:drift"),
             reverse("audit:detail", args=[event])]  # fmt: skip
    for sid in sids:
        paths += [
            reverse(f"flows:{name}", args=[sid])
            for name in ("detail", "code", "edit", "enabled", "delete")
        ]
    for path in paths:
        page.goto(path)
        page.evaluate(
            "document.querySelectorAll('main a, main input, main select').forEach((each) => each.focus())"
        )
        assert page.evaluate(f"typeof window.{MARKER}") == "undefined", path
        assert (
            page.evaluate(
                "document.querySelectorAll('main img, iframe, object, embed, [autofocus]').length"
            )
            == 0
        )
    page.goto(reverse("flows:list"))
    page.locator("#q").press_sequentially("zzq")
    page.locator("tbody").get_by_text(MARKER).first.wait_for()
    page.locator("tbody a.name").first.click()

    assert page.evaluate(f"typeof window.{MARKER}") == "undefined"
    assert [
        url
        for url in requested
        if not url.startswith(site) or MARKER in url.replace(f"q={MARKER}", "")
    ] == []
