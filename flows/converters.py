"""What counts as a Flex Flow's SID in an address; anything else is 404 and never reaches Twilio."""


class FlexFlowSidConverter:
    regex = "FO[0-9a-fA-F]{32}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value
