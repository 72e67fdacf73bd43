"""Steps on the import page, as a user's browser takes them."""

from typing import Final

from django.core.files.uploadedfile import SimpleUploadedFile

from flows.plans.models import Plan

IMPORT: Final = "/flows/plans/import/"
NEW_FLOW: Final = {
    "friendly_name": "New",
    "chat_service_sid": "IS" + "2" * 32,
    "channel_type": "web",
    "integration_type": "studio",
    "integration_flow_sid": "FW" + "3" * 32,
}


def send(client, text="", file=None, **fields):
    data = {"entries": text, **fields}
    if file is not None:
        data["file"] = SimpleUploadedFile("flows.csv", file)
    return client.post(IMPORT, data)


def columns_of(page):
    form = page.context["form"]
    return {name: form[name].value() or "" for name in form.fields}


def send_table(client, text="", file=None, **columns):
    """Import a table through the columns page, with the proposed mapping."""
    page = send(client, text, file)
    assert page.status_code == 200, page.context["error"]
    return send(client, page.context["text"], **(columns_of(page) | columns))


def planned_changes():
    return list(Plan.objects.get().changes.order_by("position"))


def error_of(response):
    assert response.status_code == 422, response
    assert not Plan.objects.exists()
    form = response.context.get("form")
    return response.context.get("error") or "; ".join(message for _, message in form.error_list)


def export(client, sids, file_format):
    return client.post("/flows/copy-out/", {"sid": sids, "format": file_format}).content
