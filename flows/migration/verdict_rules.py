"""The rules of the verdict about the flow itself: its channel, its integration and its options.

Those about its Studio Flow and about its number or sender are in `verdict_studio` and
`verdict_handling`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from django.utils.text import get_text_list

from flows.core.safe_text import short
from flows.migration.verdict_case import Case
from flows.migration.verdict_handling import check_number, check_sender
from flows.migration.verdict_reasons import Found, Reason
from flows.migration.verdict_studio import check_studio_flow
from flows.mirror.targets import url_hostname
from flows.routing.questions import ADDRESS_TYPES
from flows.routing.routing_state import Address
from flows.twilio.conversations.address_configuration import ADDRESS_CONFIGURATION
from flows.twilio.flex.flex_flow import CHANNEL_TYPES, FLEX_FLOW

MAX_NAMED: Final = 3  # other flows that a sentence names


def find_reasons(case: Case) -> Iterator[Found]:
    """Yield every reason that applies to a flow."""
    for check in CHECKS:
        yield from check(case)


def _check_channel(case: Case) -> Iterator[Found]:
    if not case.channel:
        yield Found(Reason.NO_CHANNEL)
    elif case.channel not in ADDRESS_TYPES:
        yield Found(Reason.CHANNEL, CHANNEL_TYPES.get(case.channel, case.channel))
    elif case.channel == "web":
        yield Found(Reason.WEB)
    elif not case.identity.strip():
        yield Found(Reason.NO_IDENTITY)
    elif case.channel == "facebook":
        yield Found(Reason.PAGE)


def _check_integration(case: Case) -> Iterator[Found]:
    if case.variant == "studio":
        yield from check_studio_flow(case)
    elif case.variant == "external":
        yield from _check_webhook(case)
    elif case.variant == "task":
        yield Found(Reason.TASK)
    else:
        yield Found(Reason.NO_INTEGRATION)


def _check_webhook(case: Case) -> Iterator[Found]:
    if not case.text("integration_url"):
        yield Found(Reason.NO_TARGET, "webhook URL")
    yield Found(Reason.EXTERNAL)
    retries = case.value("integration_retry_count")
    if isinstance(retries, int) and retries > 0:
        yield Found(Reason.RETRIES, str(retries))


def _check_options(case: Case) -> Iterator[Found]:
    if case.value("long_lived") is True:
        yield Found(Reason.LONG_LIVED)
    if case.value("janitor_enabled") is True:
        yield Found(Reason.JANITOR)


def _check_state(case: Case) -> Iterator[Found]:
    enabled = case.value("enabled")
    if enabled is False:
        yield Found(Reason.OFF)
    elif enabled is not True:
        yield Found(Reason.STATE_UNKNOWN)
    if case.sid in case.state.open_changes:
        yield Found(Reason.OPEN_CHANGE)
    if not case.state.is_mirror_complete:
        yield Found(Reason.MIRROR_INCOMPLETE)


def _check_chat_service(case: Case) -> Iterator[Found]:
    services = case.state.surroundings.chat_services
    if not services.flex_sid or not services.default_sid:
        yield Found(Reason.CHAT_SERVICES_UNREAD)
        return
    own_sid = case.text("chat_service_sid")
    if own_sid and own_sid != services.flex_sid:
        yield Found(Reason.CHAT_SERVICE, case.name_of(own_sid))
    if services.default_sid != services.flex_sid:
        yield Found(Reason.DEFAULT_SERVICE)


def _check_handling(case: Case) -> Iterator[Found]:
    if not case.identity.strip():
        return
    if case.channel == "sms":
        yield from check_number(case)
    elif case.channel == "whatsapp":
        yield from check_sender(case)


def _check_addresses(case: Case) -> Iterator[Found]:
    """Check the addresses of the same identity. Which website a web chat's belongs to isn't known."""
    if case.channel in ADDRESS_TYPES and not case.has_read(ADDRESS_CONFIGURATION.name):
        yield Found(Reason.ADDRESSES_UNREAD)
    for address in case.addresses if case.channel != "web" else ():
        name = f"“{address.name}”" if address.name else short(address.sid)
        if address.is_on:
            is_off = case.value("enabled") is False
            yield Found(Reason.ALREADY_MOVED if is_off else Reason.ADDRESS_ON, name)
        elif _is_equivalent(address, case):
            yield Found(Reason.ADDRESS_OFF, name)
        else:
            yield Found(Reason.ADDRESS_DIFFERS, name)


def _is_equivalent(address: Address, case: Case) -> bool:
    """Return True if an address leads to what the flow leads to, as far as is known of a webhook."""
    if case.variant == "studio":
        studio_flow_sid = case.text("integration_flow_sid")
        return address.integration == "studio" and address.studio_flow_sid == studio_flow_sid
    if case.variant == "external":
        host = url_hostname(case.text("integration_url"))
        return address.integration == "webhook" and address.webhook_host == host
    return False


def _check_other_flows(case: Case) -> Iterator[Found]:
    if not case.others_on:
        return
    flows = case.state.account.flows
    names = [FLEX_FLOW.name_of(flows[sid]) or sid for sid in islice(case.others_on, MAX_NAMED)]
    named = [f"“{name}”" for name in names]
    omitted = len(case.others_on) - len(named)
    if omitted:
        named.append(f"{omitted} more")
    words = f"{get_text_list(named, 'and')} {'is' if len(named) == 1 else 'are'}"
    yield Found(Reason.OTHER_ON if case.value("enabled") is False else Reason.TWO_ON, words)


CHECKS: Final[tuple[Callable[[Case], Iterator[Found]], ...]] = (
    _check_integration,
    _check_channel,
    _check_other_flows,
    _check_addresses,
    _check_handling,
    _check_chat_service,
    _check_options,
    _check_state,
)
