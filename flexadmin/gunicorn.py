"""Configuration of gunicorn: `gunicorn --config flexadmin/gunicorn.py`.

Options on the command line take precedence. Forwarded addresses and schemes are handled by the
setting TRUSTED_PROXIES, not by gunicorn.
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
except ImproperlyConfigured as error:  # exit now, before workers start, fail and are restarted
    sys.exit(str(error))

wsgi_app = "flexadmin.wsgi"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "flexadmin.http.buffering.BufferingWorker"  # its threads never wait for a client
threads = 4  # of each worker; most of the time they wait for Twilio
# Seconds to finish requests after a SIGTERM. A change takes at most 4 s to read, 15 s to write, and
# 10 s for each wait for the log's lock.
graceful_timeout = 60
# Seconds without a heartbeat until a worker is killed. No request waits for anything that long.
timeout = 90
keepalive = 5
limit_request_fields = 60
control_socket_disable = True
forwarded_allow_ips = ""  # by default gunicorn would trust any peer on this machine
# In memory, so that a slow disk can't stop the heartbeat.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - see above

# The site logs each request itself. gunicorn's log would include the query.
accesslog = None
logconfig_dict: dict[str, Any] = copy.deepcopy(logging)
logconfig_dict["loggers"]["gunicorn.error"] = {"level": "INFO", "handlers": [], "propagate": True}

_metrics_folder = ""
if settings.METRICS_TOKEN and not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = _metrics_folder = tempfile.mkdtemp(
        prefix="flexadmin-metrics-"
    )


def on_starting(server: Any) -> None:
    # Each connection and each buffered response takes a file: the usual 1,024 can be too few.
    _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))
    for message in system_checks.check_sqlite_wal():
        server.log.warning("%s %s", message.msg, message.hint)


def on_exit(_server: Any) -> None:
    if _metrics_folder:
        shutil.rmtree(_metrics_folder, ignore_errors=True)
