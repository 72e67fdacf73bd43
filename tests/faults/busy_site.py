"""The real site for gunicorn, without Twilio's rate limits and loaded before the workers fork."""

from django.conf import settings
from django.urls import resolve

from flexadmin.wsgi import application

__all__ = ["application"]

settings.FLEX_RATE_LIMITS = False
resolve("/flows/")
