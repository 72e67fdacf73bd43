"""Every error of the product can be pickled without loss."""

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
    "seconds": 15.0,
    "status": 404,
    "headers": {},
    "errors": (),
    "event": AuditEvent(seq=1, stage="outcome", at=datetime(2026, 11, 25, tzinfo=UTC)),
}
LEFT_OUT = ("flexadmin.gunicorn", "flexadmin.demo.settings", ".migrations.")


def modules(package: ModuleType) -> list[ModuleType]:
    names = [
        module.name for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    ]
    return [
        importlib.import_module(name)
        for name in names
        if not any(part in name for part in LEFT_OUT)
    ]


def errors() -> list[type[Exception]]:
    error_classes = {
        value
        for module in [*modules(flows), *modules(flexadmin)]
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, Exception) and value.__module__.startswith(("flows", "flexadmin"))
    }  # fmt: skip
    return sorted(error_classes, key=lambda kind: f"{kind.__module__}.{kind.__qualname__}")


def make_error(kind: type[Exception]) -> Exception:
    """Return an instance of an error class, with a value for each required argument."""
    own = next((parent for parent in kind.__mro__ if "__init__" in vars(parent)), Exception)
    if not own.__module__.startswith(("flows", "flexadmin")):
        return kind("said")
    arguments: dict[str, Any] = {}
    positional = []
    for name, parameter in inspect.signature(kind).parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY:
            arguments[name] = STAND_INS.get(name, STAND_IN)
        elif parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            positional.append(STAND_INS.get(name, STAND_IN))
    return kind(*positional, **arguments)


@pytest.mark.parametrize(
    "kind", errors(), ids=lambda kind: f"{kind.__module__}.{kind.__qualname__}"
)
def test_error_survives_pickling(kind):
    error = make_error(kind)

    arrived = pickle.loads(pickle.dumps(error))

    assert type(arrived) is kind
    assert (str(arrived), arrived.args, vars(arrived)) == (str(error), error.args, vars(error))


@pytest.mark.parametrize("kind", errors(), ids=lambda kind: kind.__qualname__)
def test_error_with_more_than_a_message_is_picklable(kind):
    """Otherwise it may unpickle by chance, with the message as its first argument."""
    assert "__init__" not in vars(kind) or issubclass(kind, PicklableError)


def test_pickled_refusal_keeps_twilios_details():
    error = RequestRefused(status=403, code=20005, message="no", retry_after=2.0)

    arrived = pickle.loads(pickle.dumps(error))

    assert (arrived.status, arrived.code, arrived.message, arrived.retry_after) == (
        403,
        20005,
        "no",
        2.0,
    )


def test_pickled_unavailability_keeps_its_reason():
    error = OperationUnavailable(
        Restriction("update", "Twilio refuses to change flows (status 403).", by_twilio=True)
    )

    arrived = pickle.loads(pickle.dumps(error))

    assert arrived.restriction == error.restriction
    assert str(arrived) == "Twilio refuses to change flows (status 403)."
