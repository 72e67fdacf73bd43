"""Submissions of the forms for new and existing flows."""

import uuid

from tests.conftest import form_data

NEW = {
    "friendly_name": "Neuer Flow",
    "chat_service_sid": "IS" + "2" * 32,
    "channel_type": "sms",
    "contact_identity": "+4915550100200",
    "integration_type": "studio",
    "integration_flow_sid": "FW" + "3" * 32,
}


def new(**values):
    return {**NEW, "change_id": str(uuid.uuid4()), **values}


def edit(client, sid, **values):
    """Open the edit form and submit it with changes."""
    data = form_data(client.get(f"/flows/{sid}/edit/"))
    return client.post(f"/flows/{sid}/edit/", {**data, **values})
