"""Objects that Twilio doesn't list, as this site knows them: created here, or looked up here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils import timezone

from flows.audit.models import APPLIED_RESULTS, AuditEvent
from flows.audit.object_links import object_url
from flows.mirror.models import LookedUpObject
from flows.twilio.resource import Resource

MAX_KNOWN: Final = 50  # objects that a page lists
MAX_KEPT: Final = 500  # look-ups of one resource that an account keeps


@dataclass(frozen=True, slots=True)
class KnownObject:
    """An object, when it was created or last looked up here, and the address of its page."""

    sid: str
    at: datetime
    is_created_here: bool
    url: str


def remember(resource: Resource, account_sid: str, sid: str) -> None:
    """Keep that an object was looked up. The oldest look-ups beyond the limit are dropped."""
    lookups = LookedUpObject.objects.filter(account_sid=account_sid, resource=resource.name)
    now = timezone.now()
    lookups.update_or_create(
        account_sid=account_sid,
        resource=resource.name,
        sid=sid,
        defaults={"at": now},
        create_defaults={"at": now, "first_at": now},
    )
    newest = list(lookups.order_by("-at", "-pk").values_list("pk", flat=True)[:MAX_KEPT])
    lookups.exclude(pk__in=newest).delete()


def list_known(resource: Resource, account_sid: str) -> list[KnownObject]:
    """Return the objects that were created or looked up here, the latest first."""
    looked_up = LookedUpObject.objects.filter(account_sid=account_sid, resource=resource.name)
    created = AuditEvent.objects.filter(
        action=resource.action("create"), result__in=APPLIED_RESULTS, account_sid=account_sid
    )
    times = {
        sid: (at, False)
        for sid, at in looked_up.order_by("-at").values_list("sid", "at")[:MAX_KNOWN]
    }
    for sid, at in created.order_by("-seq").values_list("target_sid", "at")[:MAX_KNOWN]:
        latest, _ = times.get(sid, (at, False))
        times[sid] = max(at, latest), True
    known_objects = [
        KnownObject(sid, at, is_created_here, object_url(resource, sid, account_sid))
        for sid, (at, is_created_here) in times.items()
    ]
    return sorted(known_objects, key=lambda one: one.at, reverse=True)[:MAX_KNOWN]
