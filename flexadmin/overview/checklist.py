"""What a new site still needs, for administrators.

A step that is done stays done, except that 2FA can be made optional again. So the checklist goes
away once all of it is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import User
from django.urls import reverse

from flows.mirror.freshness import Freshness


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the setup. Under it, the page shows how to do it: by a link or a command."""

    title: str
    is_done: bool
    advice: str
    url: str = ""
    link_label: str = ""
    command: str = ""


@dataclass(frozen=True, slots=True)
class Checklist:
    steps: list[Step]

    @property
    def done_count(self) -> int:
        return sum(step.is_done for step in self.steps)

    @property
    def is_complete(self) -> bool:
        return self.done_count == len(self.steps)

    @property
    def is_open(self) -> bool:
        """Return True if several steps are left. With a single one, the page folds the list up."""
        return len(self.steps) - self.done_count > 1


def build_checklist(
    mirrors: Sequence[Freshness],
    *,
    has_checkpoint: bool,
    worker_heartbeat: datetime | None,
) -> Checklist:
    """Return the checklist. `mirrors` are the accounts' last syncs. It counts users in a query."""
    return Checklist(
        [
            *_twilio_steps(mirrors),
            Step(
                "Add users besides the first",
                User.objects.count() > 1,
                "Give everyone their own username, so that the log says who did what.",
                url=reverse("person-new"),
                link_label="Add a user",
            ),
            Step(
                "Require two-factor authentication (2FA)",
                settings.SECOND_FACTOR_REQUIRED,
                "Set this variable and restart the site. Users set up 2FA when they next sign in.",
                command="SECOND_FACTOR_REQUIRED=true",
            ),
            Step(
                "Run a worker",
                worker_heartbeat is not None,
                "It runs bulk changes and checks. Keep it running next to the site:",
                command="uv run manage.py db_worker",
            ),
            Step(
                "Export a signed checkpoint",
                has_checkpoint,
                "With a checkpoint, a verification also notices if the log's last events are missing.",
                url=reverse("audit:verification"),
                link_label="Download a checkpoint",
            ),
        ]
    )


def _twilio_steps(mirrors: Sequence[Freshness]) -> list[Step]:
    is_synced = [mirror.sync.synced_at is not None for mirror in mirrors]
    return [
        Step(
            "Reach Twilio",
            any(is_synced),
            _reach_advice(mirrors),
            url=reverse("accounts:list"),
            link_label="View accounts",
        ),
        Step(
            "Sync the flows of every account",
            any(is_synced) and all(is_synced),
            "Select Refresh above, or run this command.",
            command="uv run manage.py sync_flows",
        ),
    ]


def _reach_advice(mirrors: Sequence[Freshness]) -> str:
    """Return the error of the first failed sync, or what to do before the first sync."""
    errors = [mirror.sync.error.rstrip(".") for mirror in mirrors if mirror.sync.error]
    if errors:
        return f"{errors[0]}. Check the account's API key and FLEX_API_URL."
    return "The first sync tests the API key. Select Refresh above."
