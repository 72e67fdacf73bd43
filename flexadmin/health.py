"""What a load balancer asks: is the process alive, and can it serve? Neither asks Twilio."""

from django.contrib.auth.decorators import login_not_required
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse


@login_not_required
def live(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "live"})


@login_not_required
def ready(_request: HttpRequest) -> JsonResponse:
    """200 when the database answers and has every migration; else 503."""
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error:
        return JsonResponse({"status": "not ready", "database": "does not answer"}, status=503)
    if missing:
        return JsonResponse({"status": "not ready", "database": "lacks migrations"}, status=503)
    return JsonResponse({"status": "ready"})
