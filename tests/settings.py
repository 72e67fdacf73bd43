"""Settings of the tests: the real ones, with made-up credentials and no network.

DATABASE_URL chooses the database. The default is an SQLite file, so that threads and processes meet
real locks.
"""

import os
import tempfile
from pathlib import Path

from tests import ACCOUNT

os.environ.update(
    {
        "ENV_FILE": os.devnull,
        "SECRET_KEY": "tests-only-not-a-secret-0123456789-abcdefghijklmnop",
        "AUDIT_KEY": "tests-only-audit-key-0123456789abcdef",
        "ALLOWED_HOSTS": "testserver,127.0.0.1,localhost",
        "HTTPS_ONLY": "false",
        "FLEX_API_URL": "http://127.0.0.1:9/v1",  # no server; tests set their sandbox
        "TWILIO_API_URL": "http://127.0.0.1:9/{product}",
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_API_KEY": "SK" + "5b" * 16,
        "TWILIO_API_SECRET": "sandbox-secret",
    }
)

from flexadmin.settings import *  # noqa: F403
from flexadmin.settings import DATABASES

_options = DATABASES["default"]["OPTIONS"]
# Tests use more threads than the pool allows and change its settings. Its own tests restore it.
DATABASE_POOL = _options.pop("pool", None)
SITE_DATABASE_OPTIONS = dict(_options)
# No test cuts the power, so none needs to wait until a commit is on the disk.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    _folder = Path(tempfile.gettempdir()) / f"flexadmin-tests-{os.getpid()}"
    DATABASES["default"]["TEST"] = {"NAME": str(_folder / "test.sqlite3")}
    _options["init_command"] += " PRAGMA synchronous=OFF;"
else:
    DATABASES["default"]["TEST"] = {"NAME": f"flexadmin_tests_{os.getpid()}"}
    _options["options"] += " -c synchronous_commit=off"
DATABASES["default"]["CONN_MAX_AGE"] = 0

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
FLEX_RATE_LIMITS = False
