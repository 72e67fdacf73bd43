"""The real site for gunicorn, warm before it forks its workers, and as fast as the sandbox allows: Twilio's rates
would leave it idle."""

from django.conf import settings
from django.urls import resolve

from flexadmin.wsgi import application

__all__ = ["application"]

settings.FLEX_RATE_LIMITS = False
resolve("/flows/")
