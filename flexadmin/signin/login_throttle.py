"""Limits of attempts to get in. Ten failed sign-ins with the same name from the same address within a quarter of an
hour end it for that pair; many names from one address, or one name from many, end it for all but those who have signed
in from there before. Codes and passkeys have limits of their own, by user and address in the same way.

An attempt is counted before it is looked at and taken back if it was right: however many come at once, on however many
machines, no more than these are looked at. An address of IPv6 stands for its network of 64 bits, all of which one
machine has to itself.
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
from flexadmin.signin.auth_events import LOGIN, get_client_ip
from flows.audit.models import AuditEvent, Result
from flows.twilio.pickling import PicklableError

WINDOW: Final = timedelta(minutes=15)
PAIR, ADDRESS, NAME = "pair", "address", "name"
ANY: Final = (
    "*"  # in the row that marks a limit of an address or a name as recorded: any name, any address
)


@dataclass(frozen=True, slots=True)
class Rule:
    """So many attempts within that time: of a name from an address, from an address, or of a name."""

    scope: str
    most: int
    window: timedelta = WINDOW


@dataclass(frozen=True, slots=True)
class Limit:
    """The rules for one kind of attempt."""

    kind: str
    rules: tuple[Rule, ...]

    @property
    def longest(self) -> timedelta:
        return max(rule.window for rule in self.rules)


PASSWORD_LIMIT: Final = Limit("password", (Rule(PAIR, 10), Rule(ADDRESS, 100), Rule(NAME, 50)))
# A code is right by chance three times in a million. Who gets this far has the password already.
CODE_LIMIT: Final = Limit(
    "code", (Rule(PAIR, 5, timedelta(minutes=5)), Rule(NAME, 30, timedelta(hours=1)))
)
SSO_START_LIMIT: Final = Limit("sso_start", (Rule(PAIR, 30, timedelta(minutes=5)),))
SSO_FAILURE_LIMIT: Final = Limit("sso_failure", (Rule(PAIR, 10),))  # that are recorded
SSO_USERNAME: Final = "single sign-on"  # in the place of a name, which isn't known at that point


class Throttled(PicklableError):
    """This address may not try this name now: `seconds` until it may. `is_first` for the first that is told so."""

    def __init__(self, seconds: int, *, is_first: bool) -> None:
        super().__init__(f"too many failed attempts; wait {seconds} s")
        self.seconds, self.is_first = seconds, is_first

    @property
    def minutes(self) -> int:
        return math.ceil(self.seconds / 60)


def start_attempt(request: HttpRequest, name: str, limit: Limit = PASSWORD_LIMIT) -> SignInTry:
    """Count an attempt with a name (`access.name_of`), before it is looked at; `TooMany` if it must not be. One that
    was right is taken back with `forget`; what stays was a failed one."""
    now = timezone.now()
    tries = SignInTry.objects.filter(kind=limit.kind)
    tries.filter(at__lt=now - limit.longest).delete()
    place, name_hash = _network_key(get_client_ip(request)), _hash_name(name)
    mine = SignInTry.objects.create(kind=limit.kind, address=place, name_hash=name_hash, at=now)
    broken = _exceeded_rule(request, name, mine, limit)
    if broken is None:
        return mine
    mine.delete()
    rule, until = broken
    marker = {
        "address": ANY if rule.scope == NAME else place,
        "name_hash": ANY if rule.scope == ADDRESS else name_hash,
        "is_refused": True,
    }
    is_first = not tries.filter(**marker, at__gte=now - rule.window).exists()
    if is_first:
        SignInTry.objects.create(kind=limit.kind, at=now, **marker)
    raise Throttled(max(1, math.ceil((until - now).total_seconds())), is_first=is_first)


def accept_attempt(tried: SignInTry) -> None:
    """Take back an attempt that was right; failed ones of the same kind, name and address no longer count."""
    SignInTry.objects.filter(
        kind=tried.kind, address=tried.address, name_hash=tried.name_hash
    ).delete()


def clear_attempts(request: HttpRequest, name: str, limit: Limit) -> None:
    """The same for every attempt of this kind with a name from the request's address."""
    place = _network_key(get_client_ip(request))
    SignInTry.objects.filter(kind=limit.kind, address=place, name_hash=_hash_name(name)).delete()


def _exceeded_rule(
    request: HttpRequest, name: str, mine: SignInTry, limit: Limit
) -> tuple[Rule, datetime] | None:
    """The rule that forbids this attempt, and until when; those of an address or a name bind only whoever has not
    signed in from there before."""
    for rule in limit.rules:
        counted = {PAIR: ("address", "name_hash"), ADDRESS: ("address",), NAME: ("name_hash",)}[
            rule.scope
        ]
        tries = SignInTry.objects.filter(
            kind=limit.kind,
            is_refused=False,
            at__gte=mine.at - rule.window,
            **{column: getattr(mine, column) for column in counted},
        )
        since = _blocking_attempt_at(tries, rule.most)
        if since is not None and (rule.scope == PAIR or not _has_signed_in_before(request, name)):
            return rule, since + rule.window
    return None


def _blocking_attempt_at(tries: QuerySet[SignInTry], most: int) -> datetime | None:
    """When the try was made that has to grow old before there may be another; None if there may be one now. The
    newest is the one that is asked about."""
    older = list(tries.order_by("-pk").values_list("at", flat=True)[: most + 1])
    return older[most] if len(older) > most else None


def _hash_name(name: str) -> str:
    """Names are told apart, not kept: some that are typed are passwords."""
    return salted_hmac("flexadmin.limits", name.casefold()).hexdigest()


def _network_key(address: str) -> str:
    """What counts as one address: that of IPv4, the network of IPv6, and what is neither (a socket) as it is."""
    try:
        known = ip_address(address)
    except ValueError:
        return address[:45]
    if not isinstance(known, IPv6Address):
        return str(known)
    return str(known.ipv4_mapped or ip_network((int(known) >> 64 << 64, 64)))


def _has_signed_in_before(request: HttpRequest, name: str) -> bool:
    signed_in = AuditEvent.objects.filter(
        action=LOGIN, result=Result.SUCCEEDED, actor_label=name
    ).order_by()
    address = get_client_ip(request)
    place = _network_key(address)
    if "/" not in place:
        return signed_in.filter(source_ip=address).exists()
    before = (
        signed_in.filter(source_ip__contains=":").values_list("source_ip", flat=True).distinct()
    )
    return any(_network_key(one) == place for one in before)
