"""Rights that a user was given outside this dashboard: by a script, in the database, by Django's own commands. They
have no effect here. They are shown, and recorded as found, because somebody gave them."""

from __future__ import annotations

import logging
from typing import Any, Final

from django.contrib.auth.models import Group, User
from django.db import Error
from django.db.models import Q, QuerySet

from flexadmin.models import AccountRole, OutsideRights
from flexadmin.users import services
from flexadmin.users.roles import ROLES, find_outside_rights
from flows.audit import audit_log
from flows.audit.audit_log import Actor, NotRecorded, Payload
from flows.audit.models import Result, Stage

RIGHTS_FOUND: Final = "people.rights_found"
NO_ACTOR: Final = Actor(id="", label="")
NO_EFFECT_MESSAGE: Final = "Granted outside this dashboard, with no effect here."
REMOVED_MESSAGE: Final = "Removed outside this dashboard."
PROMOTION_REASON: Final = (
    "Upgrade: the superuser flag no longer grants access, and no administrator could sign in. "
    "This superuser was made an administrator."
)
logger = logging.getLogger("flexadmin")


def users_with_outside_rights() -> QuerySet[User]:
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


def record_changes() -> int:
    """Record what was given or taken away since it was last recorded; return the number of users. `NotRecorded`: not
    all of it could be."""
    recorded = dict(OutsideRights.objects.values_list("person_id", "rights"))
    known = {user.pk: user for user in users_with_outside_rights()}
    known |= {
        user.pk: user
        for user in User.objects.filter(pk__in=[pk for pk in recorded if pk not in known])
    }
    changed = [
        user for user in known.values() if find_outside_rights(user) != recorded.get(user.pk, {})
    ]
    for user in changed:
        _record_user(user)
    return len(changed)


def try_record_changes() -> None:
    """The same, where nothing else depends on it: what can't be recorded now is found again."""
    try:
        record_changes()
    except (NotRecorded, Error):
        logger.warning("External permissions could not be recorded")


def after_migrate(**_signal: Any) -> None:
    """Record what an upgrade finds. Where no administrator can sign in, superusers who were not known here become
    administrators, if they can sign in: until now they were it in effect."""
    try:
        superusers = User.objects.filter(is_superuser=True, outside_rights__isnull=True)
        unknown = User.objects.filter(pk__in=list(superusers.values_list("pk", flat=True)))
        count = record_changes()
        adopted = services.promote_superusers(
            superusers=unknown, actor=NO_ACTOR, reason=PROMOTION_REASON
        )
    except (NotRecorded, Error):  # also on the way through older states, without the tables
        logger.debug("External permissions could not be checked", exc_info=True)
        return
    if count:
        logger.warning("Users with external permissions, which have no effect here: %s", count)
    for user in adopted:
        logger.warning(
            "Superuser %s was made an administrator: no other user could manage users", user.pk
        )


def _record_user(user: User) -> None:
    def found() -> Payload:
        """Read under the log's lock: each is recorded once, however many look."""
        before = (
            OutsideRights.objects.filter(person=user).values_list("rights", flat=True).first() or {}
        )
        after = find_outside_rights(user)
        if after == before:
            raise _AlreadyRecorded
        OutsideRights.objects.update_or_create(person=user, defaults={"rights": after})
        names = [*before, *(name for name in after if name not in before)]
        return Payload(
            friendly_name=user.get_username(),
            before={name: before.get(name, "none") for name in names},
            after={name: after.get(name, "none") for name in names},
            message=NO_EFFECT_MESSAGE if after else REMOVED_MESSAGE,
        )

    try:
        audit_log.append(
            action=RIGHTS_FOUND,
            stage=Stage.OBSERVED,
            result=Result.APPLIED,
            actor=NO_ACTOR,
            account_sid="",
            payload=found,
        )
    except _AlreadyRecorded:
        return


class _AlreadyRecorded(Exception):
    """Another process recorded it first."""
