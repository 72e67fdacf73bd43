"""Setup of Django with the tests' settings, for processes that pytest didn't start.

Import it first.
"""

import os

import django
from django.apps import apps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
os.environ.setdefault("LOG_LEVEL", "CRITICAL")  # thousands of faults on purpose are no news
if not apps.ready:
    django.setup()
