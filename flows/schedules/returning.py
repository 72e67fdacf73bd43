"""The change that returns to the values before another one, such as turning a flow on after the holidays."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flows.changes.change_guard import ProposedChange
from flows.redaction.masking import has_mask
from flows.redaction.redacted import redact_snapshot


class NoReturn(Exception):
    """The change can't have a return. The message is a sentence for users."""


def build_return(change: ProposedChange) -> ProposedChange:
    """Return the change of the same fields to their present values. Raises `NoReturn`.

    Its base state is the one after the first change.
    """
    requested, before = change.requested, change.before
    if change.operation != "update" or requested is None or before is None:
        raise NoReturn("Only a change of fields can have a return.")
    earlier = {name: before.get(name) for name in requested}
    _check_values(change, earlier)
    return replace(
        change,
        before={**before, **requested},
        requested=earlier,
        # A second submission of the form leads to the same pair of requests.
        change_id=uuid.uuid5(change.change_id, "return"),
    )


def _check_values(change: ProposedChange, earlier: Mapping[str, Any]) -> None:
    """Raise `NoReturn` for values that can't be set again later."""
    resource = change.resource
    if resource.variant_field and resource.variant_field in earlier:
        label = resource.label_of(resource.variant_field)
        raise NoReturn(f"A change of {label} can't have a return. Leave this empty.")
    masked = redact_snapshot(earlier)
    secrets = [resource.label_of(name) for name in earlier if has_mask(masked[name])]
    if secrets:
        raise NoReturn(
            f"The present value of {', '.join(secrets)} has a secret, which a schedule must not "
            "store. Leave this empty."
        )
    unclearable = [
        resource.label_of(name)
        for name, value in earlier.items()
        if value in (None, "") and not resource.field(name).is_clearable
    ]
    if unclearable:
        raise NoReturn(
            f"{', '.join(unclearable)} has no value now, and Twilio doesn't allow clearing it. "
            "Leave this empty."
        )
