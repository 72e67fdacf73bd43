"""URLs of the site: sign-in, users and health checks. Those of flows are in flows/urls.py.

Only some of allauth's views have a URL: the site has no sign-up and sends no mail about it.
"""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path
from django.views.decorators.http import require_GET, require_http_methods

from flexadmin.keyboard import views as keyboard
from flexadmin.ops import health, metrics
from flexadmin.overview import views as overview
from flexadmin.signin import mfa, reauthentication, sso_views
from flexadmin.signin import views as signin
from flexadmin.users import own_account, token_views, views

handler500 = health.server_error

get_or_post = require_http_methods(["GET", "POST"])
get_head_or_post = require_http_methods(["GET", "HEAD", "POST"])
sign_in_urls: list[URLPattern] = [
    path("login/", get_head_or_post(signin.SignIn.as_view()), name="login"),
    # allauth's name for the same page.
    path("login/", get_head_or_post(signin.SignIn.as_view()), name="account_login"),
    path(
        "login/second-factor/", get_or_post(signin.SecondFactor.as_view()), name="mfa_authenticate"
    ),
    path("login/sso/<slug:provider_id>/", sso_views.start_sso, name="openid_connect_login"),
    path(
        "login/sso/<slug:provider_id>/callback/",
        sso_views.finish_sso,
        name="openid_connect_callback",
    ),
    path("logout/", signin.SignOut.as_view(), name="logout"),
]
profile_urls: list[URLPattern] = [
    path("", own_account.profile, name="me"),
    path("profile/", own_account.edit_profile, name="profile-edit"),
    path("password/", get_or_post(own_account.PasswordChange.as_view()), name="password-change"),
    path("sessions/end/", own_account.end_other_sessions, name="sessions-end"),
    path("sessions/<int:session_id>/end/", own_account.end_session, name="session-end"),
    path("tokens/new/", token_views.token_create, name="token-new"),
    path("tokens/<int:token_id>/revoke/", token_views.token_revoke, name="token-revoke"),
    path(
        "confirm/",
        get_or_post(reauthentication.PasswordReauthentication.as_view()),
        name="account_reauthenticate",
    ),
    path(
        "confirm/code/",
        get_or_post(reauthentication.CodeReauthentication.as_view()),
        name="mfa_reauthenticate",
    ),
    path(
        "confirm/passkey/",
        get_or_post(reauthentication.PasskeyReauthentication.as_view()),
        name="mfa_reauthenticate_webauthn",
    ),
    path("factors/", mfa.redirect_to_profile, name="mfa_index"),
    path("app/add/", get_or_post(mfa.AddApp.as_view()), name="mfa_activate_totp"),
    path("app/remove/", get_or_post(mfa.RemoveApp.as_view()), name="mfa_deactivate_totp"),
    path("passkeys/add/", get_or_post(mfa.AddPasskey.as_view()), name="mfa_add_webauthn"),
    path(
        "passkeys/<int:pk>/remove/",
        get_or_post(mfa.RemovePasskey.as_view()),
        name="mfa_remove_webauthn",
    ),
    path("codes/", require_GET(mfa.RecoveryCodes.as_view()), name="mfa_view_recovery_codes"),
    path(
        "codes/text/", require_GET(mfa.RecoveryCodesFile.as_view()), name="mfa_recovery_codes_file"
    ),
    path(
        "codes/new/",
        get_or_post(mfa.GenerateRecoveryCodes.as_view()),
        name="mfa_generate_recovery_codes",
    ),
]
user_urls: list[URLPattern | URLResolver] = [
    path("", views.user_list, name="people"),
    path("me/", include(profile_urls)),
    path("new/", views.user_create, name="person-new"),
    path("<int:person_id>/", views.user_detail, name="person"),
    path("<int:person_id>/role/", views.change_user_roles, name="person-role"),
    path("<int:person_id>/active/", views.change_user_active, name="person-active"),
    path("<int:person_id>/factors/", views.reset_user_factors, name="person-factors"),
    path("<int:person_id>/single-sign-on/", views.unlink_user_sso, name="person-sso"),
    path("<int:person_id>/rights/", views.remove_user_rights, name="person-rights"),
    path("<int:person_id>/tokens/", views.revoke_user_tokens, name="person-tokens"),
    path("<int:person_id>/password/", views.reset_user_password, name="person-password"),
]
urlpatterns: list[URLPattern | URLResolver] = [
    path("", overview.show_overview, name="home"),
    *sign_in_urls,
    path("people/", include(user_urls)),
    path("palette/", keyboard.palette, name="palette"),
    path("shortcuts/", keyboard.shortcut_list, name="shortcuts"),
    path("health/live/", health.live, name="health-live"),
    path("health/ready/", health.ready, name="health-ready"),
    path("metrics", metrics.metrics, name="metrics"),
    path("", include("flows.urls")),
]
if settings.DEBUG:
    from flexadmin.demo import components

    urlpatterns.append(path("components/", components.components, name="components"))
