"""Facts about the Flex API, independent of the product's table, which is tested against them."""

import json
from pathlib import Path

HERE = Path(__file__).parent
REFERENCE = json.loads((HERE / "flexflow_reference.json").read_text(encoding="utf-8"))
FACTS = json.loads((HERE / "flexflow_facts.json").read_text(encoding="utf-8"))
PARAMETERS = FACTS["parameters"]
INTEGRATION_TYPES = FACTS["integration_types"]
EXAMPLES = {fact["name"]: fact["example"] for fact in PARAMETERS.values()}
WIRE = {fact["name"]: wire for wire, fact in PARAMETERS.items()}


def taken_by(integration_type):
    """Return the names of the fields of a flow with this integration type.

    The fields outside the integration come first.
    """
    return [
        fact["name"]
        for wire, fact in PARAMETERS.items()
        if not wire.startswith("Integration.") or integration_type in fact["takes"]
    ]


def required_by(integration_type):
    """Return the names of the fields that Twilio's reference requires for this integration type."""
    return [
        fact["name"] for fact in PARAMETERS.values() if integration_type in fact.get("requires", ())
    ]
