"""The fields of the form as the tests use them, from tests/data."""

from tests.data import FACTS, PARAMETERS, WIRE

KIND = {fact["name"]: fact["kind"] for fact in PARAMETERS.values()}
BOOLEANS = [name for name, kind in KIND.items() if kind == "boolean"]
INTEGERS = [name for name, kind in KIND.items() if kind == "integer"]
SIDS = {fact["name"]: fact["prefix"] for fact in PARAMETERS.values() if fact["kind"] == "sid"}
REQUIRED_ON_CREATE = [PARAMETERS[wire]["name"] for wire in FACTS["required_on_create"]]


def kind_for(name):
    """Return an integration type that has the field."""
    return (PARAMETERS[WIRE[name]].get("takes") or ["studio"])[0]


def written(sandbox):
    return [request.parameters for request in sandbox.requests if request.method != "GET"]


def has_error_beside(page, name):
    return f'id="id_{name}_error"' in page.content.decode()


def offered_values(form, name):
    """Return the values of a field's picker in their order, without "Another SID…"."""
    widget = form.fields[name].widget
    return [option.value for group in widget.groups for option in group.options]
