"""Who has to wait after bad sign-ins. Ten with the same name from the same address within a quarter of an hour end
it for that pair; many names from one address, or one name from many, end it for all but those who have signed in
from there before. A try is counted before the password is looked at and taken back if it was right: however many come
at once, on however many machines, no more than these are looked at. An address of IPv6 stands for its network of 64
bits, all of which one machine has to itself.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from flexadmin.access import LOGIN, address_of
from flexadmin.models import SignInTry
from flows.flexapi.pickling import Picklable
from flows.models import AuditEvent, Result

WINDOW: Final = timedelta(minutes=15)
OF_A_PAIR: Final = 10
OF_AN_ADDRESS: Final = 100
OF_A_NAME: Final = 50


class TooMany(Picklable):
    """This address may not try this name now: `seconds` until it may. `is_news` for the first that is told so."""

    def __init__(self, seconds: int, *, is_news: bool) -> None:
        super().__init__(f"too many bad sign-ins; wait {seconds} s")
        self.seconds, self.is_news = seconds, is_news

    @property
    def minutes(self) -> int:
        return math.ceil(self.seconds / 60)


def begin(request: HttpRequest, name: str) -> SignInTry:
    """Counts a try of a name (`access.name_of`), before its password is looked at; `TooMany` if it must not be. A right password takes it back
    with `forget`; what stays was a bad one."""
    now = timezone.now()
    SignInTry.objects.filter(at__lt=now - WINDOW).delete()
    known = SignInTry.objects.filter(at__gte=now - WINDOW, is_refused=False)
    mine = SignInTry.objects.create(address=_place(address_of(request)), name_hash=_hashed(name), at=now)
    since = _over(known.filter(address=mine.address, name_hash=mine.name_hash), OF_A_PAIR)
    if since is None and not _was_here_before(request, name):
        since = _over(known.filter(address=mine.address), OF_AN_ADDRESS) or _over(
            known.filter(name_hash=mine.name_hash), OF_A_NAME
        )
    if since is None:
        return mine
    refused = SignInTry.objects.filter(address=mine.address, name_hash=mine.name_hash, is_refused=True)
    is_news = not refused.exists()
    SignInTry.objects.filter(pk=mine.pk).update(is_refused=True)
    if not is_news:
        mine.delete()
    raise TooMany(max(1, math.ceil((since + WINDOW - now).total_seconds())), is_news=is_news)


def forget(tried: SignInTry) -> None:
    """The password was right: what was mistyped before, from the same address, counts no more."""
    SignInTry.objects.filter(address=tried.address, name_hash=tried.name_hash).delete()


def _over(tries: QuerySet[SignInTry], most: int) -> datetime | None:
    """When the try was made that has to grow old before there may be another; None if there may be one now. The
    newest is the one that is asked about."""
    older = list(tries.order_by("-pk").values_list("at", flat=True)[: most + 1])
    return older[most] if len(older) > most else None


def _hashed(name: str) -> str:
    """Names are told apart, not kept: some that are typed are passwords."""
    return salted_hmac("flexadmin.limits", name.casefold()).hexdigest()


def _place(address: str) -> str:
    """What counts as one address: that of IPv4, the network of IPv6, and what is neither (a socket) as it is."""
    try:
        known = ip_address(address)
    except ValueError:
        return address[:45]
    if not isinstance(known, IPv6Address):
        return str(known)
    return str(known.ipv4_mapped or ip_network((int(known) >> 64 << 64, 64)))


def _was_here_before(request: HttpRequest, name: str) -> bool:
    signed_in = AuditEvent.objects.filter(action=LOGIN, result=Result.SUCCEEDED, actor_label=name).order_by()
    address = address_of(request)
    place = _place(address)
    if "/" not in place:
        return signed_in.filter(source_ip=address).exists()
    before = signed_in.filter(source_ip__contains=":").values_list("source_ip", flat=True).distinct()
    return any(_place(one) == place for one in before)
