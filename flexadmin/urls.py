"""Addresses of the whole site: sign-in and health here, everything about flows in flows.urls."""

from django.conf import settings
from django.contrib.auth.views import LogoutView
from django.urls import include, path
from django.views.generic import RedirectView

from flexadmin import health, typed

handler500 = health.server_error
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="flows:list"), name="home"),
    path("login/", typed.SignIn.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("health/live/", health.live, name="health-live"),
    path("health/ready/", health.ready, name="health-ready"),
    path("", include("flows.urls")),
]
if settings.DEBUG:
    from flexadmin import components

    urlpatterns.append(path("components/", components.components, name="components"))
