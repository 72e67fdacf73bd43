"""Names of targets for tests that need no sandbox to read them from."""

from django.utils import timezone

from flows.core.normalization import normalize_text
from flows.names.models import ResourceName
from tests import ACCOUNT


def add_name(sid, name, *, account_sid=ACCOUNT, resource="studio_flow", **fields):
    return ResourceName.objects.create(
        account_sid=account_sid,
        sid=sid,
        resource=resource,
        name=name,
        name_folded=normalize_text(name),
        changed_at=timezone.now(),
        **fields,
    )
