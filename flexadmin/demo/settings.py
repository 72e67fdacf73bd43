"""The demo's settings: made-up credentials, SQLite in .demo/, and the sandbox as Twilio.

The variables are also written to .demo/env, so that other commands can use the running demo:
`ENV_FILE=.demo/env uv run manage.py sync_flows`.
"""

import os
import re
import secrets
import sys
from pathlib import Path
from shutil import rmtree

from flows.twilio import sandbox

FOLDER = Path(__file__).resolve().parents[2] / ".demo"
ENV_FILE = FOLDER / "env"
STAGING_ACCOUNT_SID = "AC" + "0e" * 16
SITE_PORT = int((re.findall(r"--port[= ](\d{1,5})(?!\d)", " ".join(sys.argv)) or ["8000"])[-1])

HAS_STAGING = "--staging" in sys.argv

if "--fresh" in sys.argv:
    rmtree(FOLDER, ignore_errors=True)
FOLDER.mkdir(exist_ok=True)
_previous: dict[str, str] = {}
if ENV_FILE.exists():
    _previous = dict(line.split("=", 1) for line in ENV_FILE.read_text().split())
_values = {
    "SECRET_KEY": _previous.get("SECRET_KEY") or secrets.token_urlsafe(48),
    "AUDIT_KEY": _previous.get("AUDIT_KEY") or secrets.token_urlsafe(48),
    "ALLOWED_HOSTS": "127.0.0.1,localhost",
    "HTTPS_ONLY": "false",
    "SITE_URL": f"http://127.0.0.1:{SITE_PORT}",
    "LOG_FORMAT": "line",
    "DATABASE_URL": f"sqlite:///{FOLDER / 'db.sqlite3'}",
    "FLEX_API_URL": f"http://127.0.0.1:{SITE_PORT + 1}/v1",
    "TWILIO_API_URL": f"http://127.0.0.1:{SITE_PORT + 1}/{{product}}",
    "TWILIO_ACCOUNT_SID": sandbox.DEMO_ACCOUNT_SID,
    "TWILIO_API_KEY": sandbox.DEMO_API_KEY,
    "TWILIO_API_SECRET": sandbox.DEMO_API_SECRET,
}
if HAS_STAGING:
    _account = {name: _values.pop(name) for name in list(_values) if name.startswith("TWILIO_")}
    _values |= {f"{name}__PRODUCTION": value for name, value in _account.items()} | {
        "TWILIO_ACCOUNTS": "production,staging",
        "TWILIO_ACCOUNT_SID__STAGING": STAGING_ACCOUNT_SID,
        "TWILIO_API_KEY__STAGING": sandbox.DEMO_API_KEY,
        "TWILIO_API_SECRET__STAGING": sandbox.DEMO_API_SECRET,
        "FLEX_API_URL__STAGING": f"http://127.0.0.1:{SITE_PORT + 2}/v1",
        "TWILIO_API_URL__STAGING": f"http://127.0.0.1:{SITE_PORT + 2}/{{product}}",
    }
ENV_FILE.write_text("".join(f"{name}={value}\n" for name, value in _values.items()))

# The demo ignores the environment and the .env file of a real site.
_ignored_names = {
    "DEBUG",
    "HSTS_SUBDOMAINS",
    "HSTS_PRELOAD",
    "CSRF_TRUSTED_ORIGINS",
    "TRUSTED_PROXIES",
    "METRICS_TOKEN",
}
for name in [*os.environ]:
    is_account_variable = name.startswith(("TWILIO_", "READ_ONLY"))
    is_fallback_key = name.endswith("_FALLBACKS")
    if is_account_variable or is_fallback_key or name in _ignored_names:
        del os.environ[name]
for name in _values:
    os.environ.pop(f"{name}_FILE", None)
os.environ.update(_values, ENV_FILE=os.devnull)

from flexadmin.settings import *  # noqa: E402, F403
from flexadmin.settings import LOGGING, SILENCED_SYSTEM_CHECKS, STORAGES  # noqa: E402

STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
FLEX_RATE_LIMITS = False
SILENCED_SYSTEM_CHECKS = [
    *SILENCED_SYSTEM_CHECKS,
    "flexadmin.W001",
]  # the demo's data is disposable
for name in ("flows", "flexadmin"):
    LOGGING["loggers"][name]["level"] = "ERROR"
