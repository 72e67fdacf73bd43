"""The last reading of each resource of an account, and what pages say about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus

from django.utils.text import get_text_list

from flows.accounts.twilio_accounts import Account
from flows.names.models import NameReading
from flows.names.twilio_reads import Listing
from flows.twilio.surrounding_resources import READ_RESOURCES

_VALUE_FIELDS = ("read_at", "failed_at", "status", "code", "error")


@dataclass(slots=True)
class NamesState:
    """The state of an account's names: when all were last read, and the failures since.

    `read_at` is None until some names were read. `problems` are sentences.
    """

    read_at: datetime | None = None
    problems: list[str] = field(default_factory=list)


def store_readings(
    account_sid: str, listings: Iterable[Listing], at: datetime
) -> list[NameReading]:
    """Store the result of each listing of a refresh, and return the failures.

    A resource that was not needed this time has no result.
    """
    stored = {row.resource: row for row in NameReading.objects.filter(account_sid=account_sid)}
    readings = []
    for listing in listings:
        name, error = listing.resource.name, listing.error
        earlier = stored.pop(name, None)
        reading = NameReading(account_sid=account_sid, resource=name)
        if error is None:
            reading.read_at = at
        else:
            reading.read_at = earlier.read_at if earlier else None
            reading.failed_at, reading.error = at, str(error)
            reading.status, reading.code = error.status, error.code
        readings.append(reading)
    NameReading.objects.bulk_create(
        readings,
        update_conflicts=True,
        unique_fields=["account_sid", "resource"],
        update_fields=_VALUE_FIELDS,
    )
    if stored:
        NameReading.objects.filter(pk__in=[row.pk for row in stored.values()]).delete()
    return [reading for reading in readings if reading.failed_at]


def load_states(accounts: Iterable[Account]) -> dict[str, NamesState]:
    """Return the state of the names of each of these accounts, by account SID."""
    readings: dict[str, list[NameReading]] = {account.sid: [] for account in accounts}
    for reading in NameReading.objects.filter(account_sid__in=list(readings)):
        readings[reading.account_sid].append(reading)
    return {
        account_sid: NamesState(
            max((row.read_at for row in rows if row.read_at), default=None),
            describe_failures(row for row in rows if row.failed_at),
        )
        for account_sid, rows in readings.items()
    }


def describe_failures(failures: Iterable[NameReading]) -> list[str]:
    """Return a sentence for each cause of these failures, with the resources that it concerns."""
    failed = {reading.resource: reading for reading in failures}
    plurals: dict[tuple[int | None, int | None, str], list[str]] = {}
    for resource in READ_RESOURCES:
        if reading := failed.get(resource.name):
            cause = (reading.status, reading.code, reading.error)
            plurals.setdefault(cause, []).append(inline_plural(resource.plural))
    return [
        _describe_cause(*cause, get_text_list(names, "and")) for cause, names in plurals.items()
    ]


def _describe_cause(status: int | None, code: int | None, error: str, names: str) -> str:
    if status is None:
        return f"Couldn't read {names}: {error.rstrip('.')}."
    response = f"status {status}, code {code}" if code else f"status {status}"
    if status == HTTPStatus.FORBIDDEN:
        return f"This account's API key may not read {names} ({response})."
    return f"Couldn't read {names}: Twilio answered with {response}."


def inline_plural(plural: str) -> str:
    """Return the name of a resource within a sentence. Twilio's own terms keep their capitals."""
    is_term = " " not in plural or not plural[1:].islower()
    return plural if is_term else plural[0].lower() + plural[1:]
