"""The numbers of accounts that a text stands for: all of their digits, or a part of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from flows.accounts.twilio_accounts import Account
from flows.checks.account_rules import NUMBER_CHANNELS
from flows.checks.contact_identity import to_identity
from flows.core.identities import normalize_identity
from flows.core.matching import extract_digits
from flows.mirror.models import Flow
from flows.names.models import ResourceName
from flows.routing.questions import Question
from flows.twilio.api.incoming_phone_number import INCOMING_PHONE_NUMBER
from flows.twilio.conversations.address_configuration import ADDRESS_CONFIGURATION
from flows.twilio.messaging.whatsapp_sender import WHATSAPP_SENDER

MIN_DIGITS: Final = 4
MAX_OFFERED: Final = 10
_RESOURCES: Final = {
    "sms": (INCOMING_PHONE_NUMBER.name, ADDRESS_CONFIGURATION.name),
    "whatsapp": (WHATSAPP_SENDER.name, ADDRESS_CONFIGURATION.name),
}


def find_spelling(question: Question, accounts: Iterable[Account]) -> tuple[Question, list[str]]:
    """Return a question with its number as these accounts write it, and the numbers to offer instead.

    A number with its country code stays as it is. Others are offered only if no account has it, and
    if it is a part of them, as in the list of flows.
    """
    channel, identity = question.channel, question.identity
    if channel not in NUMBER_CHANNELS or to_identity(channel, identity) == identity:
        return question, []
    sids = [account.sid for account in accounts]
    known_identities = {
        each for each in _known_identities(channel, sids) if to_identity(channel, each)
    }
    same = sorted(each for each in known_identities if normalize_identity(each) == question.key)
    if same:
        return replace(question, identity=to_identity(channel, same[0])), []
    digits = extract_digits(identity)
    if len(digits) < MIN_DIGITS or to_identity(channel, identity):
        return question, []
    similar = {
        to_identity(channel, each) for each in known_identities if digits in extract_digits(each)
    }
    return question, sorted(similar)[:MAX_OFFERED]


def _known_identities(channel: str, account_sids: list[str]) -> Iterator[str]:
    """Yield the numbers and senders of accounts, and those of their flows and addresses."""
    names = ResourceName.objects.filter(
        account_sid__in=account_sids, resource__in=_RESOURCES[channel], gone_at=None
    )
    yield from names.values_list("reference", flat=True)
    flows = Flow.objects.filter(account_sid__in=account_sids, gone_at=None, channel_type=channel)
    identities = flows.exclude(contact_identity=None)
    yield from identities.values_list("contact_identity", flat=True)
