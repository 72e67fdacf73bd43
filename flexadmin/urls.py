"""Addresses of the whole site: sign-in, people and health here, everything about flows in flows.urls. Of allauth's
pages only these are reachable: nobody signs up, and nothing is mailed.
"""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path
from django.views.decorators.http import require_GET, require_http_methods
from django.views.generic import RedirectView

from flexadmin.ops import health, metrics
from flexadmin.signin import mfa, reauthentication
from flexadmin.signin import views as signin
from flexadmin.users import own_account, views

handler500 = health.server_error

page = require_http_methods(["GET", "POST"])
entrance = require_http_methods(["GET", "HEAD", "POST"])
sign_in_urls: list[URLPattern] = [
    path("login/", entrance(signin.SignIn.as_view()), name="login"),
    path("login/", entrance(signin.SignIn.as_view()), name="account_login"),  # what allauth calls it
    path("login/second-factor/", page(signin.SecondFactor.as_view()), name="mfa_authenticate"),
    path("login/sso/<slug:provider_id>/", signin.to_provider, name="openid_connect_login"),
    path("login/sso/<slug:provider_id>/callback/", signin.from_provider, name="openid_connect_callback"),
    path("logout/", signin.SignOut.as_view(), name="logout"),
]
me_urls: list[URLPattern] = [
    path("", own_account.me, name="me"),
    path("password/", page(own_account.PasswordChange.as_view()), name="password-change"),
    path("sessions/end/", own_account.sessions_end, name="sessions-end"),
    path("confirm/", page(reauthentication.Confirm.as_view()), name="account_reauthenticate"),
    path("confirm/code/", page(reauthentication.ConfirmByCode.as_view()), name="mfa_reauthenticate"),
    path(
        "confirm/passkey/",
        page(reauthentication.ConfirmByPasskey.as_view()),
        name="mfa_reauthenticate_webauthn",
    ),
    path("factors/", mfa.back, name="mfa_index"),
    path("app/add/", page(mfa.AddApp.as_view()), name="mfa_activate_totp"),
    path("app/remove/", page(mfa.RemoveApp.as_view()), name="mfa_deactivate_totp"),
    path("passkeys/add/", page(mfa.AddPasskey.as_view()), name="mfa_add_webauthn"),
    path("passkeys/<int:pk>/remove/", page(mfa.RemovePasskey.as_view()), name="mfa_remove_webauthn"),
    path("codes/", require_GET(mfa.Codes.as_view()), name="mfa_view_recovery_codes"),
    path("codes/new/", page(mfa.NewCodes.as_view()), name="mfa_generate_recovery_codes"),
]
people_urls: list[URLPattern | URLResolver] = [
    path("", views.people_list, name="people"),
    path("me/", include(me_urls)),
    path("new/", views.person_new, name="person-new"),
    path("<int:person_id>/", views.person_detail, name="person"),
    path("<int:person_id>/role/", views.person_role, name="person-role"),
    path("<int:person_id>/active/", views.person_active, name="person-active"),
    path("<int:person_id>/factors/", views.person_factors, name="person-factors"),
    path("<int:person_id>/single-sign-on/", views.person_ties, name="person-ties"),
    path("<int:person_id>/rights/", views.person_rights, name="person-rights"),
    path("<int:person_id>/password/", views.person_password, name="person-password"),
]
urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="flows:list"), name="home"),
    *sign_in_urls,
    path("people/", include(people_urls)),
    path("health/live/", health.live, name="health-live"),
    path("health/ready/", health.ready, name="health-ready"),
    path("metrics", metrics.metrics, name="metrics"),
    path("", include("flows.urls")),
]
if settings.DEBUG:
    from flexadmin.demo import components

    urlpatterns.append(path("components/", components.components, name="components"))
