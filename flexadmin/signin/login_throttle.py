"""Limits on failed sign-in attempts.

Ten failed attempts with one username from one address within 15 minutes block that pair. Too many
attempts from one address, or with one username, block everyone except those who have signed in
from that address before. Codes and passkeys have their own limits, by user and address.

An attempt is counted before it is checked, and removed again if it was right. So concurrent
attempts, on any number of machines, can't exceed a limit. An IPv6 address counts as its /64
network, because one machine usually has all of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from flexadmin.models import SignInTry
from flexadmin.signin.actions import SigninAction
from flexadmin.signin.auth_events import get_client_ip
from flows.audit.models import AuditEvent, Result
from flows.twilio.pickling import PicklableError

WINDOW: Final = timedelta(minutes=15)
PAIR, ADDRESS, NAME = "pair", "address", "name"
# Stands for any name or any address in a row that marks a limit as recorded.
ANY: Final = "*"


@dataclass(frozen=True, slots=True)
class Rule:
    """Maximum number of attempts within a time, by username and address or by one of them."""

    scope: str
    max_attempts: int
    window: timedelta = WINDOW

    @property
    def counted_columns(self) -> tuple[str, ...]:
        """Columns in which two attempts must agree to count together."""
        if self.scope == PAIR:
            return ("address", "name_hash")
        return ("address",) if self.scope == ADDRESS else ("name_hash",)


@dataclass(frozen=True, slots=True)
class Limit:
    """The rules for one kind of attempt."""

    kind: str
    rules: tuple[Rule, ...]

    @property
    def longest_window(self) -> timedelta:
        return max(rule.window for rule in self.rules)


PASSWORD_LIMIT: Final = Limit("password", (Rule(PAIR, 10), Rule(ADDRESS, 100), Rule(NAME, 50)))
# A guessed code is right three times in a million. Whoever gets this far knows the password.
CODE_LIMIT: Final = Limit(
    "code", (Rule(PAIR, 5, timedelta(minutes=5)), Rule(NAME, 30, timedelta(hours=1)))
)
SSO_START_LIMIT: Final = Limit("sso_start", (Rule(PAIR, 30, timedelta(minutes=5)),))
SSO_FAILURE_LIMIT: Final = Limit("sso_failure", (Rule(PAIR, 10),))  # failures recorded at most
SSO_USERNAME: Final = "single sign-on"  # counted as the username, which isn't known yet


class Throttled(PicklableError):
    """The attempt is refused for `seconds`. `is_first` is set for the first refusal of a window."""

    def __init__(self, seconds: int, *, is_first: bool) -> None:
        super().__init__(f"too many failed attempts; wait {seconds} s")
        self.seconds, self.is_first = seconds, is_first

    @property
    def minutes(self) -> int:
        return math.ceil(self.seconds / 60)


def start_attempt(request: HttpRequest, name: str, limit: Limit = PASSWORD_LIMIT) -> SignInTry:
    """Count an attempt with a normalized username before it is checked.

    Raises `Throttled` if it must not be checked. Pass a right attempt to `accept_attempt`; the
    others count as failed.
    """
    now = timezone.now()
    address = _network_key(get_client_ip(request))
    name_hash = _hash_name(name)
    attempts = SignInTry.objects.filter(kind=limit.kind)
    attempts.filter(at__lt=now - limit.longest_window).delete()
    attempt = SignInTry.objects.create(
        kind=limit.kind, address=address, name_hash=name_hash, at=now
    )
    exceeded = _exceeded_rule(request, name, attempt, limit)
    if exceeded is None:
        return attempt

    attempt.delete()
    rule, blocked_until = exceeded
    marker = {
        "address": ANY if rule.scope == NAME else address,
        "name_hash": ANY if rule.scope == ADDRESS else name_hash,
        "is_refused": True,
    }
    is_first = not attempts.filter(**marker, at__gte=now - rule.window).exists()
    if is_first:
        SignInTry.objects.create(kind=limit.kind, at=now, **marker)
    seconds = math.ceil((blocked_until - now).total_seconds())
    raise Throttled(max(1, seconds), is_first=is_first)


def accept_attempt(attempt: SignInTry) -> None:
    """Remove a right attempt, and the failed ones of the same kind, username and address."""
    SignInTry.objects.filter(
        kind=attempt.kind, address=attempt.address, name_hash=attempt.name_hash
    ).delete()


def clear_attempts(request: HttpRequest, name: str, limit: Limit) -> None:
    """Remove all attempts of a kind with this username from the request's address."""
    address = _network_key(get_client_ip(request))
    SignInTry.objects.filter(kind=limit.kind, address=address, name_hash=_hash_name(name)).delete()


def _exceeded_rule(
    request: HttpRequest, name: str, attempt: SignInTry, limit: Limit
) -> tuple[Rule, datetime] | None:
    """Return the rule that forbids an attempt and the time until it does, or None.

    Rules by address or by username don't bind those who have signed in from the address before.
    """
    for rule in limit.rules:
        attempts = SignInTry.objects.filter(
            kind=limit.kind,
            is_refused=False,
            at__gte=attempt.at - rule.window,
            **{column: getattr(attempt, column) for column in rule.counted_columns},
        )
        blocking_at = _blocking_attempt_at(attempts, rule.max_attempts)
        if blocking_at is None:
            continue
        if rule.scope == PAIR or not _has_signed_in_before(request, name):
            return rule, blocking_at + rule.window
    return None


def _blocking_attempt_at(attempts: QuerySet[SignInTry], max_attempts: int) -> datetime | None:
    """Return the time of the attempt that must leave the window before a new one may be checked.

    None means that one may be checked now. The newest of `attempts` is the new one itself.
    """
    times = list(attempts.order_by("-pk").values_list("at", flat=True)[: max_attempts + 1])
    return times[max_attempts] if len(times) > max_attempts else None


def _hash_name(name: str) -> str:
    """Return a key for a username. The name may be a mistyped password, so it isn't stored."""
    return salted_hmac("flexadmin.limits", name.casefold()).hexdigest()


def _network_key(address: str) -> str:
    """Return the key by which an address is counted.

    It is the address for IPv4, the /64 network for IPv6, and the text itself for anything else,
    such as a socket.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:45]
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ip_network((int(parsed) >> 64 << 64, 64)))


def _has_signed_in_before(request: HttpRequest, name: str) -> bool:
    """Tell whether this user has signed in from the request's address or IPv6 network."""
    logins = AuditEvent.objects.filter(
        action=SigninAction.LOGIN, result=Result.SUCCEEDED, actor_label=name
    )
    logins = logins.order_by()  # the log's default order would only cost time
    address = get_client_ip(request)
    key = _network_key(address)
    is_ipv6_network = "/" in key
    if not is_ipv6_network:
        return logins.filter(source_ip=address).exists()
    addresses = logins.filter(source_ip__contains=":").values_list("source_ip", flat=True)
    return any(_network_key(previous) == key for previous in addresses.distinct())
