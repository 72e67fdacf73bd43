"""The tests, in folders that mirror the code. `ACCOUNT` is the Twilio account that tests/settings.py configures."""

ACCOUNT = "AC" + "5a" * 16
