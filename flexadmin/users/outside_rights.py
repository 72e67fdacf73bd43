"""Rights granted to users outside this dashboard, such as by scripts or in the database.

They have no effect here. They are shown and recorded because someone granted them on purpose.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from django.contrib.auth.models import Group, User
from django.db import Error
from django.db.models import Q, QuerySet

from flexadmin.models import AccountRole, OutsideRights
from flexadmin.users import services
from flexadmin.users.actions import UserAction
from flexadmin.users.roles import ROLES, find_outside_rights
from flows.audit import audit_log
from flows.audit.audit_log import Actor, NotRecorded, Payload
from flows.audit.models import Result, Stage
from flows.redaction.redacted import redact_fields

NO_ACTOR: Final = Actor(id="", label="")
NO_EFFECT_MESSAGE: Final = "Granted outside this dashboard, with no effect here."
REMOVED_MESSAGE: Final = "Removed outside this dashboard."
PROMOTION_REASON: Final = (
    "Upgrade: the superuser flag no longer grants access, and no administrator could sign in. "
    "This superuser was made an administrator."
)
logger = logging.getLogger("flexadmin")


def users_with_outside_rights() -> QuerySet[User]:
    """Return the users with rights that were granted outside this dashboard."""
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
    """Record the rights granted or removed since the last record; return the number of users.

    Raises `NotRecorded` if an event can't be written; events before it stay.
    """
    recorded = dict(OutsideRights.objects.values_list("person_id", "rights"))
    users = {user.pk: user for user in users_with_outside_rights()}
    users |= User.objects.in_bulk(recorded.keys() - users.keys())
    changed = [
        user for user in users.values() if find_outside_rights(user) != recorded.get(user.pk, {})
    ]
    for user in changed:
        _record_user(user)
    return len(changed)


def try_record_changes() -> None:
    """Record changes if possible. The next call finds those that can't be recorded now."""
    try:
        record_changes()
    except (NotRecorded, Error):
        logger.warning("External permissions could not be recorded")


def after_migrate(**_signal: Any) -> None:
    """Record the rights that an upgrade finds, and keep the site administrable.

    Earlier versions let superusers do everything. Where no administrator can sign in, superusers
    without recorded rights become administrators, if they can sign in.
    """
    try:
        superusers = User.objects.filter(is_superuser=True, outside_rights__isnull=True)
        # Recording adds the very rows that this query excludes, so it is evaluated first.
        unrecorded_ids = list(superusers.values_list("pk", flat=True))
        count = record_changes()
        promoted = services.promote_superusers(
            superusers=User.objects.filter(pk__in=unrecorded_ids),
            actor=NO_ACTOR,
            reason=PROMOTION_REASON,
        )
    except (NotRecorded, Error):  # migrations to an older state lack the tables
        logger.debug("External permissions could not be checked", exc_info=True)
        return
    if count:
        logger.warning("Users with external permissions, which have no effect here: %s", count)
    for user in promoted:
        logger.warning(
            "Superuser %s was made an administrator: no other user could manage users", user.pk
        )


def _record_user(user: User) -> None:
    """Append an event for the current rights of a user, unless another process already has."""
    with audit_log.transaction() as log:
        rows = OutsideRights.objects.filter(person=user)
        before = rows.values_list("rights", flat=True).first() or {}
        after = find_outside_rights(user)
        if after == before:
            return
        OutsideRights.objects.update_or_create(person=user, defaults={"rights": after})
        names = {**before, **after}
        log.append(
            action=UserAction.FIND_RIGHTS,
            stage=Stage.OBSERVED,
            result=Result.APPLIED,
            actor=NO_ACTOR,
            account_sid="",
            payload=Payload(
                friendly_name=user.get_username(),
                before=redact_fields({name: before.get(name, "none") for name in names}),
                after=redact_fields({name: after.get(name, "none") for name in names}),
                message=NO_EFFECT_MESSAGE if after else REMOVED_MESSAGE,
            ),
        )
