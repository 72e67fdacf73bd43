"""Fixtures of the tests of the site: a provider of single sign-on."""

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from flexadmin.signin import oidc_provider
from tests.flexadmin.provider import Provider


@pytest.fixture(scope="session")
def running_provider() -> Iterator[Provider]:
    with Provider() as provider:
        yield provider


@pytest.fixture
def provider(
    running_provider: Provider, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Provider:
    """The configured provider, with the user nina."""
    provider = running_provider
    provider.claims, provider.fault = {"sub": "7f3a", "preferred_username": "nina"}, ""
    provider.issuer, provider.userinfo, provider.token_claims = provider.url, None, {}
    provider.requested_paths.clear()
    monkeypatch.setattr(oidc_provider, "configurations", oidc_provider.Configurations())
    settings.SOCIALACCOUNT_PROVIDERS = provider.settings()
    return provider
