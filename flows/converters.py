"""The URL path converters for SIDs of Flex Flows and for targets.

Import this module before a URL pattern uses one of them.
"""

from django.urls import register_converter

from flows.mirror.targets import TargetKind


class FlexFlowSidConverter:
    """Matches a Flex Flow's SID. Any other text is answered with 404, without asking Twilio."""

    regex = "FO[0-9a-fA-F]{32}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class TargetKindConverter:
    """Matches the kind of a target, such as "studio-flow"."""

    regex = "|".join(TargetKind.values)

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class TargetValueConverter(TargetKindConverter):
    """Matches a host, a contact identity or a SID. It can have slashes.

    PostgreSQL takes no text with a NUL character.
    """

    regex = r"[^\x00]+"


register_converter(FlexFlowSidConverter, "flex_flow_sid")
register_converter(TargetKindConverter, "target_kind")
register_converter(TargetValueConverter, "target_value")
