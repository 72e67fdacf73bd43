"""Preparation of an empty database: `python -m tests.benchmarks.prepare`, under admin_settings.

It adds the sandbox's flows, the names of their targets, and a user with all permissions in both
sites, and collects static files.
"""

import os

import tests.faults.ready  # noqa: F401 - Django comes first

# isort: split
from django.contrib.auth.models import Group, User
from django.core.management import call_command

from flexadmin.users.roles import ensure_groups
from flows.accounts import twilio_accounts
from flows.mirror.name_sync import sync_with_names


def prepare_database(name: str, password: str) -> None:
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    sync_with_names(twilio_accounts.all_accounts()[0].sid)
    ensure_groups()
    person = User.objects.create_superuser(name, password=password)
    person.groups.set([Group.objects.get(name="admin")])


if __name__ == "__main__":
    prepare_database(os.environ["PERSON_NAME"], os.environ["PERSON_PASSWORD"])
