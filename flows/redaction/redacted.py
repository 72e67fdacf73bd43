"""The type of values that may be stored, shown and logged.

What comes from Twilio is a `Snapshot`. `redact_fields` and `redact_snapshot` turn it into a
`Redacted`, and nothing else does. Models, the audit log and pages accept `Redacted` only, so mypy finds a secret on its way
to them. At run time both are plain dicts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NewType, overload

from flows.redaction.masking import redact, redact_object, replace_unstorable

Redacted = NewType("Redacted", dict[str, Any])


@overload
def redact_fields(values: Mapping[str, Any]) -> Redacted: ...


@overload
def redact_fields(values: None) -> None: ...


def redact_fields(values: Mapping[str, Any] | None) -> Redacted | None:
    """Return the fields of a snapshot, or of another object, as they may be stored and shown.

    Secrets are masked, and characters that a database can't store are replaced. Fields that were
    redacted before stay as they are. None, which stands for no object, stays None.
    """
    if values is None:
        return None
    return Redacted(redact(replace_unstorable(dict(values))))


@overload
def redact_snapshot(values: Mapping[str, Any]) -> Redacted: ...


@overload
def redact_snapshot(values: None) -> None: ...


def redact_snapshot(values: Mapping[str, Any] | None) -> Redacted | None:
    """Return fields of an object at Twilio, whatever their names, as they may be stored and shown.

    `redact_fields` has to tell an object from the details of an event by the names of its fields.
    """
    if values is None:
        return None
    return Redacted(redact_object(replace_unstorable(dict(values))))
