"""Django admin on the site's database, for comparison.

The middleware is that of Django's project template, plus the site's compression and static files.
"""

from tests.benchmarks.site_settings import *  # noqa: F403
from tests.benchmarks.site_settings import INSTALLED_APPS, TEMPLATES

INSTALLED_APPS = ["django.contrib.admin", *INSTALLED_APPS]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",  # its apps, whose tables the site has too, insist on it
]
ROOT_URLCONF = "tests.benchmarks.admin_urls"
WSGI_APPLICATION = None
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend"
]  # the site's own gives a superuser no rights
SESSION_ENGINE = "django.contrib.sessions.backends.db"
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"
TEMPLATES = [{**TEMPLATES[0], "DIRS": []}]
