"""Flows in the mirror for tests of the search."""

import pytest

from flows.core.normalization import normalize_text
from flows.mirror.models import Flow
from flows.mirror.targets import find_targets
from flows.names.models import ResourceName
from tests.flows.search.mirrored_flows import AC, DAY, OTHER_AC


@pytest.fixture
def add(db):
    """Add flows to the mirror, with consecutive numbers as SIDs."""
    flows = []

    def one(name="Lyon", **fields):
        number = len(flows) + 1
        identity = fields.pop("contact_identity", f"+1415555{number:04}")
        flow = Flow(
            **{
                "sid": f"FO{number:032}",
                "account_sid": AC,
                "friendly_name": name,
                "name_folded": normalize_text(name),
                "contact_identity": identity,
                "identity_folded": normalize_text(identity),
                "channel_type": "sms",
                "integration_type": "studio",
                "enabled": True,
                "date_updated": DAY,
                "mirrored_at": DAY,
            }
            | fields
        )
        flow.targets = find_targets(flow.resource)
        flow.save()
        flows.append(flow)
        return flow

    return one


@pytest.fixture
def name_target(db):
    """Store the name of an object at Twilio."""

    def one(resource, sid, name, **fields):
        values = {"account_sid": AC, "name_folded": normalize_text(name), "changed_at": DAY}
        return ResourceName.objects.create(
            **{**values, "resource": resource, "sid": sid, "name": name, **fields}
        )

    return one


@pytest.fixture
def various(add):
    add("sms on", channel_type="sms", integration_type="studio", enabled=True)
    add("web off", channel_type="web", integration_type="task", enabled=False)
    add("web unset", channel_type="web", integration_type="", enabled=None, account_sid=OTHER_AC)
    add("odd", channel_type="telepathy", integration_type="bot", enabled=True, account_sid="")
