"""The Flex plugins of a fictional company: their versions, configurations and releases.

A configuration that is created gets a collection of its plugins. The newest release is active.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from flows.twilio.flex.plugin import PLUGIN, PLUGIN_VERSION
from flows.twilio.flex.plugin_configuration import CONFIGURED_PLUGIN, PLUGIN_CONFIGURATION
from flows.twilio.flex.plugin_release import PLUGIN_RELEASE
from flows.twilio.sandbox.named_bodies import make_sid
from flows.twilio.sandbox.responses import ApiError
from flows.twilio.sandbox.rules import INVALID_PARAMETER, format_timestamp
from flows.twilio.sandbox.store import Store

if TYPE_CHECKING:
    from flows.twilio.resource import Resource
    from flows.twilio.sandbox.rules import Body, Values
    from flows.twilio.sandbox.store_files import StoreFiles

MAX_OBJECTS = 500
DEFAULT_PHASE = 3
# The unique name, the friendly name and the versions, oldest first.
PLUGINS = (
    ("plugin-callbacks", "Callback queue", ("1.0.0", "1.1.0", "2.0.0")),
    ("plugin-customer-card", "Customer card", ("0.9.0", "1.0.0")),
    ("plugin-supervisor-notes", "Supervisor notes", ("1.0.0",)),
    ("plugin-old-dialpad", "Dialpad (old)", ("3.2.1",)),
)
ARCHIVED_PLUGINS = {"plugin-old-dialpad"}
# The name and the versions of each plugin, oldest first.
CONFIGURATIONS = (
    ("Spring", {"plugin-callbacks": "1.0.0", "plugin-old-dialpad": "3.2.1"}),
    ("Summer", {"plugin-callbacks": "1.1.0", "plugin-customer-card": "0.9.0"}),
    (
        "Autumn",
        {
            "plugin-callbacks": "1.1.0",
            "plugin-customer-card": "1.0.0",
            "plugin-supervisor-notes": "1.0.0",
        },
    ),
    ("Callbacks 2 (pilot)", {"plugin-callbacks": "2.0.0", "plugin-customer-card": "1.0.0"}),
)
RELEASES = ("Spring", "Summer", "Autumn")  # by their configurations, the active one last
DAYS_BETWEEN_RELEASES = 60


def make_stores(
    *,
    account_sid: str,
    clock: Callable[[], datetime],
    files: StoreFiles,
    add_store: Callable[[Store], None],
) -> Iterator[Store]:
    """Yield a store for each collection. `add_store` adds that of a created object."""
    stores = _PluginStores(account_sid, clock, files, add_store)
    yield stores.plugins
    yield from stores.versions_by_plugin.values()
    yield stores.configurations
    yield from stores.make_configured_plugins()
    yield stores.make_releases()


class _PluginStores:
    """The collections of one account, and what only Twilio sets in a new object of each."""

    def __init__(
        self,
        account_sid: str,
        clock: Callable[[], datetime],
        files: StoreFiles,
        add_store: Callable[[Store], None],
    ) -> None:
        self._account_sid = account_sid
        self._clock = clock
        self._files = files
        self._add_store = add_store
        self._seed = _PluginSeed(account_sid, clock())
        self.plugins = self._make_store(
            PLUGIN, self._seed.plugins(), complete=_with_archived(self._add_versions)
        )
        self.versions_by_plugin = {
            sid: self._make_versions(sid, self._seed.versions_of(sid))
            for sid in self.plugins.snapshot()
        }
        self.configurations = self._make_store(
            PLUGIN_CONFIGURATION,
            self._seed.configurations(),
            complete=_with_archived(self._add_configured_plugins),
        )

    def make_configured_plugins(self) -> Iterator[Store]:
        for sid in self.configurations.snapshot():
            yield self._make_store(CONFIGURED_PLUGIN, self._seed.configured_plugins(sid), sid)

    def make_releases(self) -> Store:
        return self._make_store(
            PLUGIN_RELEASE, self._seed.releases(), complete=self._check_configuration
        )

    def _make_store(
        self,
        resource: Resource,
        bodies: Iterable[Body] = (),
        parent_sid: str = "",
        complete: Callable[[Body, Values], Body] | None = None,
    ) -> Store:
        store = Store(
            resource,
            account_sid=self._account_sid,
            parent_sid=parent_sid,
            clock=self._clock,
            limit=MAX_OBJECTS,
            file=self._files.file_of(resource, parent_sid),
            seed=lambda: bodies,
            complete=complete,
        )
        store.save()
        return store

    def _make_versions(self, plugin_sid: str, bodies: Iterable[Body]) -> Store:
        def complete(body: Body, _values: Values) -> Body:
            return {"plugin_sid": plugin_sid, "archived": False, "validated": False} | body

        return self._make_store(PLUGIN_VERSION, bodies, plugin_sid, complete)

    def _add_versions(self, body: Body, _values: Values) -> Body:
        store = self._make_versions(body["sid"], ())
        self.versions_by_plugin[body["sid"]] = store
        self._add_store(store)
        return body

    def _add_configured_plugins(self, body: Body, values: Values) -> Body:
        rows = [
            configured_plugin(body, *self._find_version(str(item.get("plugin_version"))))
            | {"phase": item.get("phase", DEFAULT_PHASE)}
            for item in values.get("plugins") or []
        ]
        self._add_store(self._make_store(CONFIGURED_PLUGIN, rows, body["sid"]))
        return body

    def _find_version(self, sid: str) -> tuple[Body, Body]:
        """Return a plugin and its version with this SID."""
        for plugin_sid, store in self.versions_by_plugin.items():
            version = store.snapshot().get(sid)
            if version is not None:
                return self.plugins.snapshot()[plugin_sid], version
        message = f"Invalid parameter Plugins: {sid} is not a version"
        raise ApiError(HTTPStatus.BAD_REQUEST, INVALID_PARAMETER, message)

    def _check_configuration(self, body: Body, _values: Values) -> Body:
        sid = body["configuration_sid"]
        if sid not in self.configurations.snapshot():
            message = f"Invalid parameter ConfigurationId: {sid} does not exist"
            raise ApiError(HTTPStatus.BAD_REQUEST, INVALID_PARAMETER, message)
        return body


def configured_plugin(configuration: Body, plugin: Body, version: Body) -> Body:
    """Return a plugin of a configuration, with its version."""
    return {
        "sid": plugin["sid"],
        "account_sid": configuration["account_sid"],
        "date_created": configuration["date_created"],
        "plugin_sid": plugin["sid"],
        "plugin_version_sid": version["sid"],
        "configuration_sid": configuration["sid"],
        "unique_name": plugin["unique_name"],
        "version": version["version"],
        "plugin_url": version["plugin_url"],
        "phase": DEFAULT_PHASE,
        "plugin_archived": plugin["archived"],
        "plugin_version_archived": version["archived"],
        "private": version.get("private"),
    }


def _with_archived(
    complete: Callable[[Body, Values], Body],
) -> Callable[[Body, Values], Body]:
    """Return a function that also sets `archived` of a new object. A changed one has it already."""

    def complete_new(body: Body, values: Values) -> Body:
        return body if "archived" in body else complete(body | {"archived": False}, values)

    return complete_new


class _PluginSeed:
    """Generates the objects of one account, oldest first."""

    def __init__(self, account_sid: str, end_time: datetime) -> None:
        self._account_sid = account_sid
        self._end_time = end_time

    def plugins(self) -> list[Body]:
        bodies = []
        for unique_name, friendly_name, _ in PLUGINS:
            fields = {
                "unique_name": unique_name,
                "friendly_name": friendly_name,
                "description": f"{friendly_name} of Example Care",
                "archived": unique_name in ARCHIVED_PLUGINS,
                "links": {},
            }
            body = self._common(make_sid("FP", unique_name), age=len(RELEASES) + 1) | fields
            bodies.append(body | {"date_updated": body["date_created"]})
        return bodies

    def versions_of(self, plugin_sid: str) -> list[Body]:
        """Return the versions of a seeded plugin, oldest first."""
        return [
            self.version(unique_name, version)
            for unique_name, _, versions in PLUGINS
            for version in versions
            if make_sid("FP", unique_name) == plugin_sid
        ]

    def version(self, unique_name: str, version: str) -> Body:
        sid = make_sid("FV", f"{unique_name} {version}")
        return self._common(sid, age=len(RELEASES)) | {
            "plugin_sid": make_sid("FP", unique_name),
            "version": version,
            "plugin_url": f"https://plugins.example.com/{unique_name}/{version}/bundle.js",
            "changelog": f"What is new in {version}",
            "private": True,
            "archived": unique_name in ARCHIVED_PLUGINS,
            "validated": True,
        }

    def configurations(self) -> list[Body]:
        return [
            self._common(make_sid("FJ", name), age=len(CONFIGURATIONS) - position)
            | {
                "name": name,
                "description": f"{name}: what the agents of Example Care use",
                "archived": False,
                "links": {},
            }
            for position, (name, _) in enumerate(CONFIGURATIONS)
        ]

    def configured_plugins(self, configuration_sid: str) -> list[Body]:
        """Return the plugins of a seeded configuration."""
        plugins = {plugin["unique_name"]: plugin for plugin in self.plugins()}
        versions = {make_sid("FJ", name): versions for name, versions in CONFIGURATIONS}
        configurations = {one["sid"]: one for one in self.configurations()}
        return [
            configured_plugin(
                configurations[configuration_sid],
                plugins[unique_name],
                self.version(unique_name, version),
            )
            for unique_name, version in versions.get(configuration_sid, {}).items()
        ]

    def releases(self) -> list[Body]:
        return [
            self._common(make_sid("FK", name), age=len(RELEASES) - position)
            | {"configuration_sid": make_sid("FJ", name)}
            for position, name in enumerate(RELEASES)
        ]

    def _common(self, sid: str, *, age: int) -> Body:
        created_at = self._end_time - timedelta(days=DAYS_BETWEEN_RELEASES * age)
        return {
            "sid": sid,
            "account_sid": self._account_sid,
            "date_created": format_timestamp(created_at),
        }
