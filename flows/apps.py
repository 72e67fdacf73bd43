"""Everything about Flex Flows."""

from django.apps import AppConfig


class FlowsConfig(AppConfig):
    name = "flows"
