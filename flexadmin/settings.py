"""The site's settings, from the environment or from a .env file next to manage.py.

The start fails with a hint if a required variable is missing. `.env.example` lists every variable.
The value of each can also be in a file (env.py).
"""

import os
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from flexadmin.account_env import check_twilio_api_url, parse_allowed_networks, read_accounts
from flexadmin.env import Env, check_time_zone
from flexadmin.http import proxies
from flexadmin.mail_env import MAIL_TIMEOUT, read_mail_server, read_site_url
from flexadmin.ops import log_records
from flexadmin.signin.oidc_settings import read_oidc_settings

BASE_DIR = Path(__file__).resolve().parent.parent

env = Env()
environ.Env.read_env(os.environ.get("ENV_FILE", str(BASE_DIR / ".env")))


def required(name: str, hint: str) -> str:
    """Return the value of a variable, or raise `ImproperlyConfigured` if it is not set."""
    value = str(env.str(name, default="")).strip()
    if not value:
        raise ImproperlyConfigured(
            f"{name} is not set. {hint} Set it in the environment or in .env; .env.example lists "
            "all. Just looking? `uv run manage.py demo` needs none of this."
        )
    return value


SECRET_KEY = required("SECRET_KEY", "It signs sessions and forms: any 50 random characters.")
# Previous keys, which are still accepted for sessions and forms that they signed.
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", default=[])
AUDIT_KEY = required(
    "AUDIT_KEY",
    "The key of the audit log's hash chain: 32 random characters or more, kept apart from database "
    "backups.",
)
# Previous keys, newest first. They verify old events and are not used for new ones.
AUDIT_KEY_FALLBACKS: list[str] = env.list("AUDIT_KEY_FALLBACKS", default=[])
if min(map(len, [AUDIT_KEY, *AUDIT_KEY_FALLBACKS])) < 32:
    raise ImproperlyConfigured(
        "AUDIT_KEY is too short: 32 random characters or more, of each fallback too."
    )
DEBUG = env.bool("DEBUG", default=False)
HTTPS_ONLY = env.bool("HTTPS_ONLY", default=True)
if not DEBUG:
    required("ALLOWED_HOSTS", "Allowed host names, such as flows.example.com.")
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
TRUSTED_PROXIES = proxies.parse_networks(env.list("TRUSTED_PROXIES", default=[]))

METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
if METRICS_TOKEN and len(METRICS_TOKEN) < 16:
    raise ImproperlyConfigured("METRICS_TOKEN is too short: 16 random characters or more.")

# Twilio
FLEX_API_URL = env.str("FLEX_API_URL", default="https://flex-api.twilio.com/v1").rstrip("/")
TWILIO_API_URL = check_twilio_api_url(
    "TWILIO_API_URL", env.str("TWILIO_API_URL", default="https://{product}.twilio.com")
)
# Whether syncs ask Twilio's Monitor who made external changes.
TWILIO_MONITOR_EVENTS = env.bool("TWILIO_MONITOR_EVENTS", default=False)
FLEX_ACCOUNTS = read_accounts(env, required)
FLEX_RATE_LIMITS = True  # off only with the sandbox
# Private networks that tests of webhooks may reach.
WEBHOOK_TEST_ALLOWED_NETWORKS = parse_allowed_networks(
    "WEBHOOK_TEST_ALLOWED_NETWORKS", env.list("WEBHOOK_TEST_ALLOWED_NETWORKS", default=[])
)
# Private networks that notifications may reach.
NOTIFICATION_ALLOWED_NETWORKS = parse_allowed_networks(
    "NOTIFICATION_ALLOWED_NETWORKS", env.list("NOTIFICATION_ALLOWED_NETWORKS", default=[])
)

# Mail of notifications. Without a mail server there is none.
mail = read_mail_server(env)
EMAIL_IS_CONFIGURED = mail.is_configured
DEFAULT_FROM_EMAIL = mail.sender
EMAIL_HOST, EMAIL_PORT, EMAIL_TIMEOUT = mail.host, mail.port, MAIL_TIMEOUT
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = mail.user, mail.password
EMAIL_USE_TLS, EMAIL_USE_SSL = mail.uses_tls, mail.uses_ssl
# The site's own address, for links in notifications.
SITE_URL = read_site_url(env, ALLOWED_HOSTS, is_https=HTTPS_ONLY)

INSTALLED_APPS = [
    "flexadmin",  # first, because its createsuperuser and changepassword replace Django's
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
    "flexadmin.http.proxies.TrustedProxyMiddleware",
    "flexadmin.http.middleware.RequestIdMiddleware",
    "flexadmin.http.middleware.SecurityHeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",  # with random padding, against BREACH
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "flexadmin.http.middleware.FormEncodingMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "flexadmin.http.middleware.SignInMiddleware",
    "flexadmin.http.middleware.TimeZoneMiddleware",
    "flexadmin.http.middleware.NotRecordedMiddleware",
]

ROOT_URLCONF = "flexadmin.urls"
WSGI_APPLICATION = "flexadmin.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "flexadmin.http.context_processors.site",
            ],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "flexadmin.http.template_loader.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "builtins": ["flows.templatetags.icons", "flows.templatetags.formatting"],
        },
    }
]
FORM_RENDERER = "flows.core.form_renderer.FieldRenderer"

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url("DATABASE_URL", default=f"sqlite:///{BASE_DIR / '.flexadmin.sqlite3'}")
}
DATABASES["default"]["ATOMIC_REQUESTS"] = False  # an attempt is committed before its call
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",  # a writer waits at its start, and never fails halfway
        "timeout": 10,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
    }
    # Connections stay open: a new one may have to create files, which fails on a full disk.
    DATABASES["default"]["CONN_MAX_AGE"] = None
else:
    # The most connections of a process, which needs one for each thread and one more. With 0 there
    # is no pool, for a server that pools connections itself.
    pool_size = env.int("DATABASE_POOL_SIZE", default=10)
    DATABASES["default"].update(
        {"CONN_MAX_AGE": 0 if pool_size else 60, "CONN_HEALTH_CHECKS": True}
    )
    # Time limits for a server that doesn't respond (s, ms) and for a lock that isn't released (ms).
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
            "timeout": 3.0,  # seconds that a thread waits for a connection
            "max_idle": 60.0,
            # The next request connects again at once, without pauses that grow.
            "reconnect_timeout": 0.0,
        }
# Bulk changes run in the background, in `manage.py db_worker`.
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Authentication
AUTHENTICATION_BACKENDS = ["flexadmin.users.roles.RolesBackend"]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "flexadmin.signin.password_rules.CommonWeaknessValidator"},
]
API_AUTHENTICATOR = "flexadmin.users.token_authentication.authenticate"
# Requests of one API token per minute, in each process of the site.
API_RATE_LIMIT = env.int("API_RATE_LIMIT", default=600)
if API_RATE_LIMIT < 1:
    raise ImproperlyConfigured("API_RATE_LIMIT is a whole number from 1 on.")
SECOND_FACTOR_REQUIRED = env.bool("SECOND_FACTOR_REQUIRED", default=False)
SESSION_IDLE_MINUTES = env.int("SESSION_IDLE_MINUTES", default=60)
SESSION_HOURS = env.int("SESSION_HOURS", default=12)
if SESSION_IDLE_MINUTES < 1 or SESSION_HOURS < 1:
    raise ImproperlyConfigured(
        "SESSION_IDLE_MINUTES and SESSION_HOURS are whole numbers from 1 on."
    )
ONE_TIME_PASSWORD_HOURS = env.int("ONE_TIME_PASSWORD_HOURS", default=72)
if ONE_TIME_PASSWORD_HOURS < 1:
    raise ImproperlyConfigured("ONE_TIME_PASSWORD_HOURS is a whole number from 1 on.")
SESSION_ENGINE = "flexadmin.signin.session_store"
SESSION_COOKIE_AGE = SESSION_HOURS * 3600
# In the database, because all workers and machines share failed sign-ins and used codes.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "flexadmin_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# allauth: two-factor authentication, passkeys, single sign-on. No sign-up and no mail.
ACCOUNT_ADAPTER = "flexadmin.signin.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_UNIQUE_EMAIL = False
# The site counts failed codes by user and address, as it does passwords. allauth counts by user.
ACCOUNT_RATE_LIMITS = {"login_failed": None}
MFA_ADAPTER = "flexadmin.signin.adapters.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_TOLERANCE = 1  # steps of 30 s, for clocks that are off and for slow typing
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS_ONLY
SOCIALACCOUNT_ADAPTER = "flexadmin.signin.adapters.SocialAccountAdapter"
SOCIALACCOUNT_LOGIN_ON_GET = True  # by a link, because form-action is 'self'
SOCIALACCOUNT_REQUESTS_TIMEOUT = 3  # seconds that a thread waits for the provider
SOCIALACCOUNT_PROVIDERS = {"openid_connect": read_oidc_settings(env)}

LANGUAGE_CODE = "en"
# Of pages, for users who have not chosen another one. Stored times, exports and logs are in UTC.
TIME_ZONE = check_time_zone(env.str("TIME_ZONE", default="UTC"))
USE_TZ = True
USE_I18N = False

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / ".static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# In bytes. All flows of a full account take about 2.5 MB as JSON.
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
DATA_UPLOAD_MAX_NUMBER_FILES = 1  # the file of an import
FILE_UPLOAD_MAX_MEMORY_SIZE = DATA_UPLOAD_MAX_MEMORY_SIZE
# Uploads are never written to the disk.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS_ONLY
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
# Browsers accept a __Host- cookie only over HTTPS and from this very host.
SESSION_COOKIE_NAME = "__Host-sessionid" if HTTPS_ONLY else "sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken" if HTTPS_ONLY else "csrftoken"
# Lax, so that a link from another site finds the user signed in. No GET changes anything.
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
DEFAULT_EXCEPTION_REPORTER_FILTER = "flexadmin.ops.error_reports.RedactingExceptionReporterFilter"
CSRF_FAILURE_VIEW = "flexadmin.http.form_rescue.csrf_failure"
SECURE_SSL_REDIRECT = HTTPS_ONLY
SECURE_REDIRECT_EXEMPT = [r"^health/"]
# Subdomains and browsers' preload lists are off by default, because they concern the whole domain:
# a subdomain without HTTPS could not be reached for a year.
HSTS_SUBDOMAINS = env.bool("HSTS_SUBDOMAINS", default=False)
HSTS_PRELOAD = env.bool("HSTS_PRELOAD", default=False)
if HSTS_PRELOAD and not HSTS_SUBDOMAINS:
    raise ImproperlyConfigured(
        "HSTS_PRELOAD needs HSTS_SUBDOMAINS=true as well: browsers' lists take whole domains only."
    )
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS_ONLY else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS_ONLY and HSTS_SUBDOMAINS
SECURE_HSTS_PRELOAD = HTTPS_ONLY and HSTS_PRELOAD
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # they ask for subdomains and preload
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

LOG_FORMAT = env.str("LOG_FORMAT", default="line" if DEBUG else "json")
if LOG_FORMAT not in log_records.FORMATS:
    raise ImproperlyConfigured("LOG_FORMAT is neither json nor line.")
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING = log_records.build_logging_config(
    form=LOG_FORMAT,
    level=LOG_LEVEL,
    secrets={
        *env.secrets(),
        str(DATABASES["default"].get("PASSWORD") or ""),
        EMAIL_HOST_PASSWORD,
    },
)
