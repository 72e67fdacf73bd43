"""The command that refreshes the copy."""

import io

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from flows.flexapi.sandbox import Fault, FaultKind
from flows.models import Flow, SyncState

pytestmark = pytest.mark.django_db


def test_sync_flows_says_what_it_found(sandbox):
    sandbox.add_flow()
    out = io.StringIO()

    call_command("sync_flows", stdout=out)

    assert out.getvalue() == "1 flows: 1 new, 0 changed, 0 gone.\n"
    assert Flow.objects.count() == 1


def test_sync_flows_fails_clearly_when_twilio_is_away(sandbox):
    sandbox.inject(Fault(FaultKind.SERVER_ERROR, times=None))

    with pytest.raises(CommandError, match="The copy stays as it was: Twilio answered with status 500"):
        call_command("sync_flows")


def test_sync_flows_leaves_another_sync_alone(sandbox, settings):
    SyncState.objects.create(account_sid=settings.TWILIO_ACCOUNT_SID, started_at=timezone.now())

    with pytest.raises(CommandError, match="under way"):
        call_command("sync_flows")

    assert sandbox.requests == []
