"""Housekeeping removes expired rows once a day and never prevents a sign-in."""

import uuid
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from flexadmin.models import SignInTry
from flexadmin.ops import housekeeping
from flows.audit.models import KeyedRequest
from tests.flexadmin.signing_in import is_signed_in, recorded_events, sign_in

pytestmark = pytest.mark.django_db
OLD = timedelta(days=40)


def make_old_rows(count=3):
    past = timezone.now() - OLD
    for number in range(count):
        Session.objects.create(session_key=f"old{number}", session_data="", expire_date=past)
        KeyedRequest.objects.create(change_id=uuid.uuid4(), digest="0" * 64, sent_at=past)
        SignInTry.objects.create(address="192.0.2.1", name_hash=str(number), at=past, kind="code")
    cache.set("old", "value", timeout=1)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE flexadmin_cache SET expires = %s",
            [connection.ops.adapt_datetimefield_value(past)],
        )


def cached_rows():
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM flexadmin_cache WHERE cache_key LIKE '%%old'")
        return cursor.fetchone()[0]


def finished_task(at):
    return DBTaskResult.objects.create(
        task_path="flows.tasks.x", args_kwargs={}, status="SUCCESSFUL", finished_at=at, backend_name="default",
        queue_name="default", exception_class_path="", traceback="",
    )  # fmt: skip


def test_sign_in_removes_only_expired_rows(client, person):
    person()
    make_old_rows()
    finished_task(timezone.now() - OLD)
    recent = finished_task(timezone.now())
    user = User.objects.get()
    UserSession.objects.create(user=user, ip="192.0.2.1", session_key="gone", user_agent="x")

    sign_in(client)

    assert is_signed_in(client)
    assert not Session.objects.filter(session_key__startswith="old").exists()
    assert not SignInTry.objects.exists()
    assert not KeyedRequest.objects.exists()
    assert not UserSession.objects.filter(session_key="gone").exists()
    assert UserSession.objects.filter(user=user).exists()
    assert list(DBTaskResult.objects.all()) == [recent]
    assert cached_rows() == 0


def test_housekeeping_runs_once_a_day(person):
    person()
    sign_in(Client())
    make_old_rows()
    cache.set(housekeeping.CACHE_KEY, value=True, timeout=1000)

    sign_in(Client())

    assert Session.objects.filter(session_key__startswith="old").count() == 3


def test_many_rows_are_removed_in_batches(monkeypatch):
    monkeypatch.setattr(housekeeping, "BATCH_SIZE", 2)
    make_old_rows(5)

    assert [housekeeping.remove_expired() for _ in range(3)] == [False, False, True]
    assert not Session.objects.exists()


def test_next_batch_is_due_soon(monkeypatch):
    monkeypatch.setattr(housekeeping, "BATCH_SIZE", 2)
    make_old_rows(5)
    soon = []
    monkeypatch.setattr(cache, "set", lambda key, **options: soon.append((key, options["timeout"])))

    housekeeping.run_if_due()

    assert soon == [(housekeeping.CACHE_KEY, housekeeping.CONTINUE_INTERVAL)]


def test_failed_housekeeping_prevents_no_sign_in(client, person, monkeypatch):
    person()
    monkeypatch.setattr(
        housekeeping, "remove_expired", lambda: (_ for _ in ()).throw(DatabaseError("locked"))
    )

    sign_in(client)

    assert is_signed_in(client)
    assert recorded_events("auth.login")[-1][1] == "succeeded"
