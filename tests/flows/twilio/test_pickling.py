"""Every error of the product goes from one process to another, and says there what it said here."""

import importlib
import inspect
import pickle
import pkgutil
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import pytest

import flexadmin
import flows
from flows.audit.models import AuditEvent
from flows.availability.restrictions import OperationUnavailable, Restriction
from flows.twilio.errors import ErrorDetails, RequestRefused
from flows.twilio.pickling import PicklableError

STAND_IN = Restriction("update", "Twilio refuses to change flows (status 403).")
STAND_INS = {
    "refusal": ("user deactivated", "Your access is deactivated."),
    "details": ErrorDetails(code=20005, message="no"),
    "event": AuditEvent(seq=1, stage="outcome", at=datetime(2026, 11, 25, tzinfo=UTC)),
}
LEFT_OUT = ("flexadmin.gunicorn", "flexadmin.demo.settings", ".migrations.")


def modules(package: ModuleType) -> list[ModuleType]:
    names = [
        found.name for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    ]
    return [
        importlib.import_module(name)
        for name in names
        if not any(part in name for part in LEFT_OUT)
    ]


def errors() -> list[type[Exception]]:
    found = {
        value
        for module in [*modules(flows), *modules(flexadmin)]
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, Exception) and value.__module__.startswith(("flows", "flexadmin"))
    }  # fmt: skip
    return sorted(found, key=lambda kind: f"{kind.__module__}.{kind.__qualname__}")


def made(kind: type[Exception]) -> Exception:
    """One of them, with something for whatever it has to be given."""
    own = next((parent for parent in kind.__mro__ if "__init__" in vars(parent)), Exception)
    if not own.__module__.startswith(("flows", "flexadmin")):
        return kind("said")
    given: dict[str, Any] = {}
    positional = []
    for name, parameter in inspect.signature(kind).parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY:
            given[name] = STAND_INS.get(name, STAND_IN)
        elif parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            positional.append(STAND_INS.get(name, STAND_IN))
    return kind(*positional, **given)


@pytest.mark.parametrize(
    "kind", errors(), ids=lambda kind: f"{kind.__module__}.{kind.__qualname__}"
)
def test_error_arrives_as_it_was_sent(kind):
    sent = made(kind)

    arrived = pickle.loads(pickle.dumps(sent))

    assert type(arrived) is kind
    assert (str(arrived), arrived.args, vars(arrived)) == (str(sent), sent.args, vars(sent))


@pytest.mark.parametrize("kind", errors(), ids=lambda kind: kind.__qualname__)
def test_error_with_more_than_a_message_is_made_to_travel(kind):
    """By luck it may unpickle today: `__init__` is called with the message in the place of its first
    argument."""
    assert "__init__" not in vars(kind) or issubclass(kind, PicklableError)


def test_refusal_keeps_what_twilio_said():
    sent = RequestRefused(status=403, code=20005, message="no", retry_after=2.0)

    arrived = pickle.loads(pickle.dumps(sent))

    assert (arrived.status, arrived.code, arrived.message, arrived.retry_after) == (
        403,
        20005,
        "no",
        2.0,
    )


def test_closed_says_why_on_the_other_side():
    sent = OperationUnavailable(
        Restriction("update", "Twilio refuses to change flows (status 403).", by_twilio=True)
    )

    arrived = pickle.loads(pickle.dumps(sent))

    assert arrived.restriction == sent.restriction
    assert str(arrived) == "Twilio refuses to change flows (status 403)."
