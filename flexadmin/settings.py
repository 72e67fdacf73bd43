"""The site's settings, from the environment (or a .env file beside manage.py).

What is missing stops the start, with a hint. `.env.example` lists every variable; each can also stand in a file
(secrets.py).
"""

import os
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from flexadmin import logs, proxies
from flexadmin.accounts import accounts_from
from flexadmin.oidc import oidc_from
from flexadmin.secrets import Env

BASE_DIR = Path(__file__).resolve().parent.parent

env = Env()
environ.Env.read_env(os.environ.get("ENV_FILE", str(BASE_DIR / ".env")))


def required(name: str, hint: str) -> str:
    value = str(env.str(name, default="")).strip()
    if not value:
        raise ImproperlyConfigured(
            f"{name} is not set. {hint} Set it in the environment or in .env; .env.example lists all. "
            "Just looking? `uv run manage.py demo` needs none of this."
        )
    return value


SECRET_KEY = required("SECRET_KEY", "It signs sessions and forms: any 50 random characters.")
# Keys of before, which still open what they signed, until it has run out.
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", default=[])
AUDIT_KEY = required(
    "AUDIT_KEY",
    "The key of the audit log's hash chain: 32 random characters or more, kept apart from database backups.",
)
# Keys of before, newest first: they verify what they sealed, and seal nothing new.
AUDIT_KEY_FALLBACKS: list[str] = env.list("AUDIT_KEY_FALLBACKS", default=[])
if min(map(len, [AUDIT_KEY, *AUDIT_KEY_FALLBACKS])) < 32:
    raise ImproperlyConfigured("AUDIT_KEY is too short: 32 random characters or more, of each fallback too.")
DEBUG = env.bool("DEBUG", default=False)
HTTPS_ONLY = env.bool("HTTPS_ONLY", default=True)
if not DEBUG:
    required("ALLOWED_HOSTS", "Allowed host names, such as flows.example.com.")
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
TRUSTED_PROXIES = proxies.networks(env.list("TRUSTED_PROXIES", default=[]))

METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
if METRICS_TOKEN and len(METRICS_TOKEN) < 16:
    raise ImproperlyConfigured("METRICS_TOKEN is too short: 16 random characters or more.")

# Twilio
FLEX_API_URL = env.str("FLEX_API_URL", default="https://flex-api.twilio.com/v1").rstrip("/")
FLEX_ACCOUNTS = accounts_from(env, required)
FLEX_RATE_LIMITS = True  # off only where the other end is the sandbox

INSTALLED_APPS = [
    "flexadmin",  # first: its createsuperuser and changepassword take the place of Django's
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "django_htmx",
    "django_tasks_db",
    "heroicons",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "flows",
]

MIDDLEWARE = [
    "flexadmin.proxies.TrustedProxyMiddleware",
    "flexadmin.middleware.RequestIdMiddleware",
    "flexadmin.middleware.ArmourMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",  # with random padding, so that lengths tell no secret
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "flexadmin.middleware.FormEncodingMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "flexadmin.middleware.SignInMiddleware",
]

ROOT_URLCONF = "flexadmin.urls"
WSGI_APPLICATION = "flexadmin.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "flexadmin.context_processors.site",
            ],
            "builtins": ["heroicons.templatetags.heroicons", "flows.templatetags.flows"],
        },
    }
]
FORM_RENDERER = "flows.forms.FieldRenderer"

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url("DATABASE_URL", default=f"sqlite:///{BASE_DIR / '.flexadmin.sqlite3'}")
}
DATABASES["default"]["ATOMIC_REQUESTS"] = False  # an attempt is committed before its call goes out
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",  # a writer waits its turn at the start, never halfway
        "timeout": 10,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
    }
    # Connections stay open: the first one makes files beside the database, which a full disk has no room for.
    DATABASES["default"]["CONN_MAX_AGE"] = None
else:
    # A process keeps so many connections at most, and needs one for each of its threads and one to spare. Each is
    # tried before it is lent. 0: no pool, for a server that pools by itself.
    pool_size = env.int("DATABASE_POOL_SIZE", default=10)
    DATABASES["default"].update({"CONN_MAX_AGE": 0 if pool_size else 60, "CONN_HEALTH_CHECKS": True})
    # Seconds and milliseconds until a server that does not answer, or a lock that does not come free, is given up.
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 5,
        "tcp_user_timeout": 10_000,
        "options": "-c lock_timeout=10000",
        **DATABASES["default"].get("OPTIONS", {}),
    }
    if pool_size:
        DATABASES["default"]["OPTIONS"]["pool"] = {
            "min_size": 1,
            "max_size": pool_size,
            "timeout": 3.0,  # seconds that a thread waits for one, also where the server refuses at once
            "max_idle": 60.0,
            # A server that was away is asked anew by the next request, not after pauses that grow.
            "reconnect_timeout": 0.0,
        }
# Plans run in the background, by `manage.py db_worker`.
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Who gets in
AUTHENTICATION_BACKENDS = ["flexadmin.roles.RolesBackend"]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "flows:list"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "flexadmin.passwords.UsualWeaknesses"},
]
SECOND_FACTOR_REQUIRED = env.bool("SECOND_FACTOR_REQUIRED", default=False)
SESSION_IDLE_MINUTES = env.int("SESSION_IDLE_MINUTES", default=60)
SESSION_HOURS = env.int("SESSION_HOURS", default=12)
if SESSION_IDLE_MINUTES < 1 or SESSION_HOURS < 1:
    raise ImproperlyConfigured("SESSION_IDLE_MINUTES and SESSION_HOURS are whole numbers from 1 on.")
ONE_TIME_PASSWORD_HOURS = env.int("ONE_TIME_PASSWORD_HOURS", default=72)
if ONE_TIME_PASSWORD_HOURS < 1:
    raise ImproperlyConfigured("ONE_TIME_PASSWORD_HOURS is a whole number from 1 on.")
SESSION_COOKIE_AGE = SESSION_HOURS * 3600
# Bad sign-ins and used codes are counted where every worker and every machine sees them.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "flexadmin_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# allauth: second factors, passkeys, single sign-on. Nobody signs up, nothing is mailed.
ACCOUNT_ADAPTER = "flexadmin.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_UNIQUE_EMAIL = False
# Codes and passkeys are counted by user and address, as passwords are (limits.py). allauth would count by user alone.
ACCOUNT_RATE_LIMITS = {"login_failed": None}
MFA_ADAPTER = "flexadmin.adapters.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_TOLERANCE = 1  # steps of 30 s before and after: a phone's clock may be off, and typing takes time
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS_ONLY
SOCIALACCOUNT_ADAPTER = "flexadmin.adapters.SocialAccountAdapter"
SOCIALACCOUNT_LOGIN_ON_GET = True  # a form could not lead to the provider: form-action is 'self'
SOCIALACCOUNT_REQUESTS_TIMEOUT = 3  # seconds: a thread waits for the provider that long
SOCIALACCOUNT_PROVIDERS = {"openid_connect": oidc_from(env)}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / ".static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024  # bytes; all flows of an account as JSON are some 2.5 MB
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
DATA_UPLOAD_MAX_NUMBER_FILES = 1  # of an import
FILE_UPLOAD_MAX_MEMORY_SIZE = DATA_UPLOAD_MAX_MEMORY_SIZE
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler"
]  # nothing is put on the disk
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS_ONLY
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
# A browser takes a cookie of this name over HTTPS only, for the whole of this host and from no other of its domain.
SESSION_COOKIE_NAME = "__Host-sessionid" if HTTPS_ONLY else "sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken" if HTTPS_ONLY else "csrftoken"
# Lax, not Strict: who follows a link to an event, from a ticket, stays signed in. No GET changes anything.
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
DEFAULT_EXCEPTION_REPORTER_FILTER = "flexadmin.failures.WithoutValues"
CSRF_FAILURE_VIEW = "flexadmin.typed.csrf_failure"
SECURE_SSL_REDIRECT = HTTPS_ONLY
SECURE_REDIRECT_EXEMPT = [r"^health/"]
# For a year browsers ask this host by HTTPS only. For its subdomains, and in the lists that browsers come with, that is
# the decision of whoever has the whole domain: a subdomain without HTTPS could not be reached any more.
HSTS_SUBDOMAINS = env.bool("HSTS_SUBDOMAINS", default=False)
HSTS_PRELOAD = env.bool("HSTS_PRELOAD", default=False)
if HSTS_PRELOAD and not HSTS_SUBDOMAINS:
    raise ImproperlyConfigured(
        "HSTS_PRELOAD needs HSTS_SUBDOMAINS=true as well: browsers' lists take whole domains only."
    )
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS_ONLY else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS_ONLY and HSTS_SUBDOMAINS
SECURE_HSTS_PRELOAD = HTTPS_ONLY and HSTS_PRELOAD
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # Django would have both set
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

LOG_FORMAT = env.str("LOG_FORMAT", default="line" if DEBUG else "json")
if LOG_FORMAT not in logs.FORMATS:
    raise ImproperlyConfigured("LOG_FORMAT is neither json nor line.")
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING = logs.settings(
    form=LOG_FORMAT,
    level=LOG_LEVEL,
    secrets={*env.secrets(), str(DATABASES["default"].get("PASSWORD") or "")},
)
