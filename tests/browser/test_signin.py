"""Sign-in, own account and user pages in a browser.

They are tested in light and dark, wide and narrow, by keyboard, with and without JavaScript, and
with a virtual passkey.
"""

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from playwright.sync_api import expect

from flexadmin.signin.login_throttle import PASSWORD_LIMIT
from tests.browser.looks import EVENT_URL, LOOKS, find_problems
from tests.flexadmin.provider import Provider
from tests.flexadmin.signing_in import recorded_events, totp_code

pytestmark = pytest.mark.django_db(transaction=True)


def clean(findings):
    return {name: problems for name, problems in findings.items() if problems}


def confirm(page, name="operator"):
    expect(page.get_by_role("heading", name="Confirm your identity")).to_be_visible()
    page.get_by_label("Password").fill(f"{name}-password")
    page.get_by_label("Password").press("Enter")


def set_up_an_app(page, name="operator"):
    """Set up an authenticator app by keyboard; return the secret."""
    page.goto("/people/me/")
    page.get_by_role("link", name="Set up an authenticator app").press("Enter")
    confirm(page, name)
    expect(page.get_by_role("heading", name="Set up an authenticator app")).to_be_visible()
    secret = page.locator("code.to-type").inner_text()
    page.get_by_label("Authenticator code").fill(totp_code(secret, step=-1))
    page.get_by_label("Authenticator code").press("Enter")
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    return secret


@LOOKS
def test_pages_of_the_own_sign_in_are_accessible(open_page, scheme, width):
    page = open_page("operator", scheme=scheme, width=width)
    findings = {}

    page.goto("/people/me/")
    findings["me"] = find_problems(page)
    page.goto("/people/me/password/")
    findings["password"] = find_problems(page)
    page.get_by_role("button", name="Change").click()
    expect(page.locator(".field-error").first).to_be_visible()
    findings["wrong password"] = find_problems(page)
    page.goto("/people/me/app/add/")
    findings["confirm"] = find_problems(page)
    confirm(page)
    expect(page.locator(".qr")).to_be_visible()
    findings["app"] = find_problems(page)
    page.get_by_label("Authenticator code").fill("1")
    page.get_by_role("button", name="Set up").click()
    expect(page.locator(".field-error")).to_be_visible()
    findings["wrong code"] = find_problems(page)
    secret = page.locator("code.to-type").inner_text()
    page.get_by_label("Authenticator code").fill(totp_code(secret))
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    findings["codes"] = find_problems(page)
    for name, path in {
        "new codes": "/people/me/codes/new/", "remove": "/people/me/app/remove/", "passkey": "/people/me/passkeys/add/",
        "me with factors": "/people/me/", "confirm by code": "/people/me/confirm/code/",
    }.items():  # fmt: skip
        page.goto(path)
        findings[name] = find_problems(page)

    assert clean(findings) == {}


@LOOKS
def test_pages_of_the_people_are_accessible(open_page, person, scheme, width):
    someone = person("viewer", "a.person.with.a.rather.long.name.who.moved@example.com")
    tie = "https://login.a-provider.example.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0 AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ"
    SocialAccount.objects.create(user=someone, provider="oidc", uid=tie)
    page = open_page("admin", scheme=scheme, width=width)
    findings = {}

    page.goto("/flows/")
    if width == 320:
        page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Users").click()
    expect(page.get_by_role("heading", name="Users")).to_be_visible()
    findings["list"] = find_problems(page)
    page.get_by_role("link", name=someone.username).click()
    expect(page.get_by_role("heading", name=someone.username)).to_be_visible()
    findings["person"] = find_problems(page)
    page.get_by_role("button", name="Change role").click()
    expect(page.locator(".field-error")).to_have_text("Error: Enter a reason.")
    findings["no reason"] = find_problems(page)
    page.goto("/people/")
    page.get_by_role("link", name="admin", exact=True).last.click()
    expect(page.get_by_role("heading", name="Password and 2FA")).to_be_visible()
    findings["oneself"] = find_problems(page)
    page.go_back()
    page.get_by_role("link", name=someone.username).click()
    page.locator("#password_reason").fill("Forgot it")
    page.get_by_role("button", name="Set a temporary password").click()
    expect(page.get_by_role("heading", name="Temporary password")).to_be_visible()
    findings["one-time password"] = find_problems(page)
    page.goto("/audit/")
    findings["log"] = find_problems(page)
    page.locator("a.name").first.click()
    page.wait_for_url(EVENT_URL)
    findings["event"] = find_problems(page)

    assert clean(findings) == {}


@LOOKS
def test_pages_of_signing_in_are_accessible(
    open_page, browser, site, person, settings, scheme, width
):
    secret = set_up_an_app(open_page("operator"))
    with Provider() as provider:
        settings.SOCIALACCOUNT_PROVIDERS = provider.settings()
        context = browser.new_context(
            base_url=site, color_scheme=scheme, viewport={"width": width, "height": 800}
        )
        page, findings = context.new_page(), {}

        def try_to_sign_in(password):
            page.goto("/login/")
            page.fill("[name=username]", "operator")
            page.fill("[name=password]", password)
            page.press("[name=password]", "Enter")

        page.goto("/login/")
        findings["sign in"] = find_problems(page)
        try_to_sign_in("operator-password")
        expect(page.get_by_role("heading", name="Two-factor authentication")).to_be_visible()
        findings["second factor"] = find_problems(page)
        page.get_by_label("Code").fill("1")
        page.get_by_label("Code").press("Enter")
        expect(page.locator(".field-error")).to_be_visible()
        findings["wrong code"] = find_problems(page)
        for _ in range(PASSWORD_LIMIT.rules[0].max_attempts + 1):
            try_to_sign_in("wrong")
            expect(page.locator("section.notice.error")).to_be_visible()
        expect(page.locator("section.notice.error")).to_contain_text("Too many failed attempts")
        expect(page.locator("section.notice.error")).to_be_focused()
        findings["locked out"] = find_problems(page)
        context.close()

    assert secret
    assert clean(findings) == {}


@pytest.mark.quick("True")
@pytest.mark.parametrize("javascript", [True, False])
def test_app_is_set_up_and_used_with_and_without_javascript(open_page, browser, site, javascript):
    page = open_page("operator", javascript=javascript)
    secret = set_up_an_app(page)
    page.get_by_role("link", name="I’ve saved these codes").click()
    page.get_by_role("button", name="Sign out", exact=True).click()

    page.fill("[name=username]", "operator")
    page.fill("[name=password]", "operator-password")
    page.press("[name=password]", "Enter")
    page.get_by_label("Code").fill(totp_code(secret))
    page.get_by_label("Code").press("Enter")

    expect(page.get_by_role("link", name="operator")).to_be_visible()
    assert recorded_events("auth.login")[-1][:2] == ("auth.login", "succeeded")


@pytest.fixture
def key():
    """Function that adds a virtual security key to a page."""

    def make(page):
        session = page.context.new_cdp_session(page)
        session.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2", "transport": "usb", "hasResidentKey": True, "hasUserVerification": True,
            "isUserVerified": True, "automaticPresenceSimulation": True,
        }  # fmt: skip
        session.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    return make


@pytest.fixture
def named_site(site):
    """Address of the site with a host name, which passkeys need."""
    return site.replace("127.0.0.1", "localhost")


def test_temporary_password_is_copied(open_page):
    page = open_page("admin", path="/people/new/")
    page.fill("[name=name]", "nora")
    page.select_option("[name=role]", "viewer")
    page.fill("[name=reason]", "Joins the night shift")
    page.get_by_role("button", name="Add user").click()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])

    page.get_by_role("button", name="Copy").click()

    expect(page.get_by_text("Copied Temporary password")).to_be_attached()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.get_by_label("Temporary password").inner_text()
    assert User.objects.get(username="nora").check_password(copied)


def test_passkey_is_set_up_used_and_removed(open_page, named_site, key):
    page = open_page(
        "operator", path="/people/me/"
    )  # the list would still be refreshing, and bring a cookie
    page.context.clear_cookies()
    key(page)

    def sign_in():
        page.goto(f"{named_site}/login/?next=/people/me/")
        page.fill("[name=username]", "operator")
        page.fill("[name=password]", "operator-password")
        page.press("[name=password]", "Enter")

    sign_in()
    page.get_by_role("link", name="Set up a passkey").click()
    confirm(page)
    page.get_by_label("Name").fill("Blue stick")
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.get_by_role("link", name="I’ve saved these codes").click()
    expect(page.get_by_text("Blue stick", exact=True)).to_be_visible()
    page.get_by_role("button", name="Sign out", exact=True).click()

    sign_in()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Account settings")).to_be_visible()
    assert recorded_events("auth.login")[-1] == ("auth.login", "succeeded", "operator", "operator")

    page.get_by_role("link", name="Remove the passkey Blue stick").click()
    page.get_by_role("link", name="Use a security key").click()
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Passkey removed.")).to_be_visible()
    assert not User.objects.get().authenticator_set.exists()


def test_passkey_that_is_not_used_says_so(open_page, named_site):
    page = open_page(
        "operator", path="/people/me/"
    )  # the list would still be refreshing, and bring a cookie
    page.context.clear_cookies()
    page.goto(f"{named_site}/login/?next=/people/me/passkeys/add/")
    page.fill("[name=username]", "operator")
    page.fill("[name=password]", "operator-password")
    page.press("[name=password]", "Enter")
    confirm(page)

    page.evaluate(
        "() => { navigator.credentials.create = async () => { throw new DOMException('', 'NotAllowedError') } }"
    )
    page.get_by_role("button", name="Set up").click()

    expect(page.locator("#page-problem")).to_contain_text("cancelled or timed out")


def test_pages_without_a_passkey_load_none_of_its_scripts(open_page):
    page = open_page("admin")
    loaded = []
    page.on("request", lambda request: loaded.append(request.url))

    for path in ("/", "/flows/", "/people/", "/people/me/", "/audit/"):
        page.goto(path)

    assert [url for url in loaded if url.endswith("app.css")]
    assert not [url for url in loaded if "webauthn" in url or "passkey" in url]


@pytest.mark.quick
def test_single_sign_on_leads_there_and_back(open_page, browser, site, settings):
    with Provider() as provider:
        settings.SOCIALACCOUNT_PROVIDERS = provider.settings()
        context = browser.new_context(base_url=site)
        page = context.new_page()
        page.goto("/login/")
        page.get_by_role("link", name="Sign in with Example ID").click()

        expect(page.get_by_role("heading", name="You have no role yet")).to_be_visible()
        page.get_by_role("link", name="nina").click()
        expect(page.get_by_text("no role yet: ask an administrator for access")).to_be_visible()
        context.close()
