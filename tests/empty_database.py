"""Empties the database between the examples of one test."""

from django.apps import apps
from django.db import connection, transaction

from flows.audit import append_only
from flows.search.models import FlowEntry, FlowTally, Target, TargetUse

FOLLOW_FROM_THE_MIRROR = (FlowEntry, FlowTally, Target, TargetUse)


def empty_database() -> None:
    """Delete all rows of the product, without the append-only triggers for that moment."""
    append_only.remove(connection)
    with transaction.atomic(), connection.cursor() as cursor:
        for model in apps.get_app_config("flows").get_models():
            if model not in FOLLOW_FROM_THE_MIRROR:
                cursor.execute(f"DELETE FROM {model._meta.db_table}")
    append_only.install(connection)
