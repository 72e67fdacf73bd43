"""The URL path converter for SIDs of Flex Flows."""


class FlexFlowSidConverter:
    """Matches a Flex Flow's SID. Any other text is answered with 404, without asking Twilio."""

    regex = "FO[0-9a-fA-F]{32}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value
