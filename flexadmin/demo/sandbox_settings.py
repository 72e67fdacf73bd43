"""Settings of the `sandbox` command, which needs neither credentials nor a database."""

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django_tasks_db",
    "flows",
]
