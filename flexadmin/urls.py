"""Addresses of the whole site: sign-in and health here, everything about flows in flows.urls."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path
from django.views.generic import RedirectView

from flexadmin import health

handler500 = health.server_error
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="flows:list"), name="home"),
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("health/live/", health.live, name="health-live"),
    path("health/ready/", health.ready, name="health-ready"),
    path("", include("flows.urls")),
]
