"""Rights that a user was given outside this dashboard: by a script, in the database, by Django's own commands. They
have no effect here. They are shown, and recorded as found, because somebody gave them."""

from __future__ import annotations

import logging
from typing import Any, Final

from django.contrib.auth.models import Group, User
from django.db import Error
from django.db.models import Q, QuerySet

from flexadmin import persons
from flexadmin.models import AccountRole, OutsideRights
from flexadmin.roles import ROLES, outside_rights_of
from flows.models import Result, Stage
from flows.services import audit
from flows.services.audit import Actor, NotRecorded, Payload

FOUND: Final = "people.rights_found"
NOBODY: Final = Actor(id="", label="")
NO_EFFECT: Final = "Granted outside this dashboard, with no effect here."
GONE: Final = "Removed outside this dashboard."
ADOPTED: Final = (
    "Upgrade: the superuser flag no longer grants access, and no administrator could sign in. "
    "This superuser was made an administrator."
)
log = logging.getLogger("flexadmin")


def users_with_any() -> QuerySet[User]:
    """Users who have such rights."""
    foreign_groups = Group.objects.exclude(name__in=ROLES)
    foreign_roles = AccountRole.objects.exclude(role__name__in=ROLES)
    return User.objects.filter(
        Q(is_superuser=True)
        | Q(is_staff=True)
        | Q(pk__in=User.user_permissions.through.objects.values("user_id"))
        | Q(groups__in=foreign_groups)
        | Q(pk__in=foreign_roles.values("person_id"))
    ).distinct()


def record_found() -> int:
    """Record what was given or taken away since it was last recorded; return the number of users. `NotRecorded`: not
    all of it could be."""
    recorded = dict(OutsideRights.objects.values_list("person_id", "rights"))
    known = {user.pk: user for user in users_with_any()}
    known |= {
        user.pk: user for user in User.objects.filter(pk__in=[pk for pk in recorded if pk not in known])
    }
    changed = [user for user in known.values() if outside_rights_of(user) != recorded.get(user.pk, {})]
    for user in changed:
        _record(user)
    return len(changed)


def record_if_possible() -> None:
    """The same, where nothing else depends on it: what can't be recorded now is found again."""
    try:
        record_found()
    except (NotRecorded, Error):
        log.warning("External permissions could not be recorded")


def after_migrate(**_signal: Any) -> None:
    """Record what an upgrade finds. Where no administrator can sign in, superusers who were not known here become
    administrators, if they can sign in: until now they were it in effect."""
    try:
        superusers = User.objects.filter(is_superuser=True, outside_rights__isnull=True)
        unknown = User.objects.filter(pk__in=list(superusers.values_list("pk", flat=True)))
        count = record_found()
        adopted = persons.adopt_superusers(superusers=unknown, actor=NOBODY, reason=ADOPTED)
    except (NotRecorded, Error):  # also on the way through older states, without the tables
        log.debug("External permissions could not be checked", exc_info=True)
        return
    if count:
        log.warning("Users with external permissions, which have no effect here: %s", count)
    for user in adopted:
        log.warning("Superuser %s was made an administrator: no other user could manage users", user.pk)


def _record(user: User) -> None:
    def found() -> Payload:
        """Read under the log's lock: each is recorded once, however many look."""
        before = OutsideRights.objects.filter(person=user).values_list("rights", flat=True).first() or {}
        after = outside_rights_of(user)
        if after == before:
            raise _AlreadyRecorded
        OutsideRights.objects.update_or_create(person=user, defaults={"rights": after})
        names = [*before, *(name for name in after if name not in before)]
        return Payload(
            friendly_name=user.get_username(),
            before={name: before.get(name, "none") for name in names},
            after={name: after.get(name, "none") for name in names},
            message=NO_EFFECT if after else GONE,
        )

    try:
        audit.append(
            action=FOUND,
            stage=Stage.OBSERVED,
            result=Result.APPLIED,
            actor=NOBODY,
            account_sid="",
            payload=found,
        )
    except _AlreadyRecorded:
        return


class _AlreadyRecorded(Exception):
    """Another process recorded it first."""
