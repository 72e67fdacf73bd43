"""Flows without warnings, for tests of one warning at a time."""

from tests.data import EXAMPLES, taken_by

IDENTITIES = {
    "sms": "+14155550123",
    "whatsapp": "whatsapp:+14155550123",
    "facebook": "messenger:1234567",
}


def flow(kind="studio", channel="sms", **fields):
    """Return a flow without warnings."""
    values = {name: EXAMPLES[name] for name in taken_by(kind)}
    identity = IDENTITIES.get(channel)
    return (
        values
        | {"integration_type": kind, "channel_type": channel, "contact_identity": identity}
        | fields
    )
