"""Fixtures that fill in and submit the forms of a flow."""

import pytest

from tests.conftest import form_data
from tests.data import EXAMPLES, required_by, taken_by
from tests.flows.flex_flows.form_fields import KIND, REQUIRED_ON_CREATE, SIDS


@pytest.fixture
def operator(client_of):
    return client_of("operator")


@pytest.fixture
def flow_of(sandbox):
    """Add a flow with every field of its integration type, none of them as in EXAMPLES."""

    def make(kind, **fields):
        other_values = {
            "boolean": lambda name: EXAMPLES[name] != "true",
            "integer": lambda name: int(EXAMPLES[name]) + 1,
            "sid": lambda name: SIDS[name] + "e" * 32,
        }
        full = {
            name: other_values[KIND[name]](name)
            for name in taken_by(kind)
            if KIND[name] in other_values
        }
        channel = fields.pop("channel_type", "sms")
        sid = sandbox.add_flow(
            **{**full, "channel_type": "sms", "integration_type": kind, **fields}
        )
        sandbox.edit_flow(sid, channel_type=channel)
        return sid

    return make


@pytest.fixture
def create(operator):
    """Submit the form for a new flow: the required fields of its type, with changes by the test."""

    def post(kind, **changes):
        data = form_data(operator.get("/flows/new/")) | {"integration_type": kind}
        data |= {name: EXAMPLES[name] for name in (*REQUIRED_ON_CREATE, *required_by(kind))}
        return operator.post("/flows/new/", data | changes)

    return post


@pytest.fixture
def edit(operator):
    """Open a flow's form and submit it with changes. None leaves a field out."""

    def post(sid, **changes):
        data = form_data(operator.get(f"/flows/{sid}/edit/")) | changes
        return operator.post(
            f"/flows/{sid}/edit/",
            {name: value for name, value in data.items() if value is not None},
        )

    return post


@pytest.fixture
def switch(operator):
    """Select another integration type as the button or htmx does, and return the page."""

    def post(path, page, kind, *, htmx=False, **entered):
        data = form_data(page) | entered | {"integration_type": kind, "update_fields": "1"}
        answer = operator.post(path, data, headers={"HX-Request": "true"} if htmx else {})
        assert answer.status_code == 200
        assert answer.context["form"].errors == {}
        return answer

    return post
