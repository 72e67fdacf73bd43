"""Everything about Flex Flows."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class FlowsConfig(AppConfig):
    name = "flows"

    def ready(self) -> None:
        from flows.audit import protection  # its check registers itself
        from flows.search import list_tables  # so does this one

        post_migrate.connect(list_tables.repair, sender=self)
        post_migrate.connect(protection.restore, sender=self)
