"""The site's settings, from the environment (or a .env file beside manage.py).

What is missing stops the start, with a hint. `.env.example` lists every variable.
"""

from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from flows.flexapi import schema

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
env.read_env(env.str("ENV_FILE", default=str(BASE_DIR / ".env")))


def required(name: str, hint: str) -> str:
    value = str(env.str(name, default="")).strip()
    if not value:
        raise ImproperlyConfigured(
            f"{name} is not set. {hint} Set it in the environment or in .env; .env.example lists all. "
            "Just looking? `uv run manage.py demo` needs none of this."
        )
    return value


SECRET_KEY = required("SECRET_KEY", "It signs sessions and forms: any 50 random characters.")
AUDIT_KEY = required(
    "AUDIT_KEY",
    "It seals the audit log: 32 random characters or more, kept apart from backups of the database.",
)
if len(AUDIT_KEY) < 32:
    raise ImproperlyConfigured("AUDIT_KEY is too short: 32 random characters or more.")
DEBUG = env.bool("DEBUG", default=False)
HTTPS_ONLY = env.bool("HTTPS_ONLY", default=True)
if not DEBUG:
    required("ALLOWED_HOSTS", "The names that the site answers to, such as flows.example.com.")
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# Twilio
FLEX_API_URL = env.str("FLEX_API_URL", default="https://flex-api.twilio.com/v1").rstrip("/")
TWILIO_ACCOUNT_SID = required(
    "TWILIO_ACCOUNT_SID", "It begins with AC and stands on the Console's first page."
)
if not schema.is_sid("AC", TWILIO_ACCOUNT_SID):
    raise ImproperlyConfigured(
        "TWILIO_ACCOUNT_SID is not an account's SID: AC and 32 characters from 0-9 and a-f."
    )
TWILIO_API_KEY = env.str("TWILIO_API_KEY", default="")
TWILIO_API_SECRET = env.str("TWILIO_API_SECRET", default="")
TWILIO_AUTH_TOKEN = env.str("TWILIO_AUTH_TOKEN", default="")
if bool(TWILIO_API_KEY) != bool(TWILIO_API_SECRET):
    raise ImproperlyConfigured("TWILIO_API_KEY and TWILIO_API_SECRET go together: one of them is not set.")
if not TWILIO_API_KEY and not TWILIO_AUTH_TOKEN:
    raise ImproperlyConfigured(
        "No Twilio credentials. Set TWILIO_API_KEY and TWILIO_API_SECRET (an API key: best), "
        "or TWILIO_AUTH_TOKEN, in the environment or in .env; .env.example lists all."
    )
if TWILIO_API_KEY and not schema.is_sid("SK", TWILIO_API_KEY):
    raise ImproperlyConfigured(
        "TWILIO_API_KEY is not an API key's SID: SK and 32 characters from 0-9 and a-f."
    )
FLEX_RATE_LIMITS = True  # off only where the other end is the sandbox

INSTALLED_APPS = [
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
    "flexadmin",
    "flows",
]

MIDDLEWARE = [
    "flexadmin.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "flexadmin.middleware.ArmourMiddleware",
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
    DATABASES["default"].update({"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True})
    # Seconds and milliseconds until a server that does not answer, or a lock that does not come free, is given up.
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 5,
        "tcp_user_timeout": 10_000,
        "options": "-c lock_timeout=10000",
        **DATABASES["default"].get("OPTIONS", {}),
    }
# Plans run in the background, by `manage.py db_worker`.
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "flows:list"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

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
DATA_UPLOAD_MAX_NUMBER_FILES = 0
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS_ONLY
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "flexadmin.typed.csrf_failure"
SECURE_SSL_REDIRECT = HTTPS_ONLY
SECURE_REDIRECT_EXEMPT = [r"^health/"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS_ONLY else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS_ONLY
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {
        "flows": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
        "django": {"handlers": ["stderr"], "level": "WARNING"},
        "django.request": {"level": "ERROR"},  # a 500 with its trace; refusals are in the audit log
    },
}
