"""How gunicorn serves the site: `gunicorn --config flexadmin/gunicorn.py`. What the command line says goes before.

Nothing here is read from a client: whom to believe about addresses and HTTPS is TRUSTED_PROXIES' business.
"""

from __future__ import annotations

import copy
import os
import resource
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from flexadmin.ops import system_checks

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flexadmin.settings")
try:
    logging = settings.LOGGING
except ImproperlyConfigured as error:  # before any worker starts, fails, and is started again
    sys.exit(str(error))

wsgi_app = "flexadmin.wsgi"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "flexadmin.http.buffering.BufferingWorker"  # its threads never wait for a client
threads = 4  # of each worker; they wait for Twilio most of the time
# Seconds that whoever is in the middle of something has after a SIGTERM. A change takes at most 4 to read, 15 to write
# and 10 for each wait for the log's lock.
graceful_timeout = 60
timeout = 90  # seconds without a sign of life until a worker is killed: longer than anything that a request waits for
keepalive = 5
limit_request_fields = 60
control_socket_disable = True
forwarded_allow_ips = ""  # gunicorn itself would believe any peer on this machine
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - no disk that hangs stops the heartbeat

# The site's own log has a line for each request; gunicorn's would show the query.
accesslog = None
logconfig_dict: dict[str, Any] = copy.deepcopy(logging)
logconfig_dict["loggers"]["gunicorn.error"] = {"level": "INFO", "handlers": [], "propagate": True}

_metrics_folder = ""
if settings.METRICS_TOKEN and not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = _metrics_folder = tempfile.mkdtemp(
        prefix="flexadmin-metrics-"
    )


def on_starting(server: Any) -> None:
    # Each connection is a file, and so is an answer that waits for its client: 1,024 may be too few.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    for message in system_checks.check_sqlite_wal():
        server.log.warning("%s %s", message.msg, message.hint)


def on_exit(_server: Any) -> None:
    if _metrics_folder:
        shutil.rmtree(_metrics_folder, ignore_errors=True)
