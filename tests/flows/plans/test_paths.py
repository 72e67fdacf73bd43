"""Paths of messages that a bulk change is expected to change, compared with those after its run."""

import random
from datetime import timedelta

import pytest
from django.utils import timezone

from flows.accounts import twilio_accounts
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.names.models import ObjectReading, ResourceName
from flows.plans.items import ItemStatus, plan_items
from flows.plans.paths import preview_paths
from flows.plans.planned_values import collect_values
from flows.routing.explain import Router
from flows.routing.load_planned import load_planned
from flows.routing.load_routing import load_for_question
from flows.routing.path_changes import is_different
from flows.routing.questions import question_of_flow
from tests import ACCOUNT
from tests.flows.checks.test_checking import READ, STUDIO_FLOWS, add_objects, read_completely
from tests.flows.names.adding import add_name
from tests.flows.plans.running import run_to_end
from tests.flows.plans.test_findings import add_random_flows, random_plan
from tests.property_tests import choose_seeds

pytestmark = pytest.mark.django_db(transaction=True)
QUICK_SEEDS = (0, 2, 3, 4, 5)  # each of them changes a path
OTHER_SEEDS = (1, *choose_seeds(4, first=6))
# What may surround the number and the sender of most flows.
PROXY, OTHER = {"host": "webhooks.twilio.com", "is_proxy": True}, {"host": "bot.example"}
NUMBERS = [
    {**PROXY, "can_receive_sms": True},
    {**PROXY, "can_receive_sms": True},
    {**PROXY, "can_receive_sms": False},
    {**OTHER, "can_receive_sms": True},
    {**PROXY, "can_receive_sms": True, "application_sid": "AP" + "1" * 32},
    {"host": "", "can_receive_sms": True},
    {},
]
SENDERS = [("ONLINE", PROXY), ("ONLINE", PROXY), ("ONLINE", OTHER), ("OFFLINE", PROXY)]
SERVICES = [None, None, {"host": "mg.example", "uses_number_webhook": False}, {"host": ""},
            {"host": "mg.example", "uses_number_webhook": True}]  # fmt: skip
ADDRESSES = [("sms", "+14155550123"), ("whatsapp", "whatsapp:+14155550123"),
             ("messenger", "messenger:12345"), ("chat", "")]  # fmt: skip


def add_surroundings(chance):
    """Add names, and at random a number, a sender, their Messaging Service, and addresses."""
    add_objects()
    complete = [name for name in (*READ, "address_configuration") if chance.random() < 0.9]
    read_completely(*complete)
    set_details("PN" + "1" * 32, chance.choice(NUMBERS))
    add_name("PN" + "3" * 32, "Second", resource="phone_number", reference="+14155550124",
             details=chance.choice(NUMBERS))  # fmt: skip
    status, details = chance.choice(SENDERS)
    set_details("XE" + "1" * 32, details, status=status)
    service = chance.choice(SERVICES)
    if service is None:
        ObjectReading.objects.filter(sid="MG" + "1" * 32).delete()
    else:
        set_details("MG" + "1" * 32, service)
    for number, (kind, identity) in enumerate(chance.sample(ADDRESSES, k=chance.randint(0, 4))):
        integration = chance.choice(["studio", "webhook", "default"])
        studio_sid = chance.choice(STUDIO_FLOWS) if integration == "studio" else ""
        details = {"kind": kind, "integration": integration, "host": chance.choice(["", "a.example"]),
                   "studio_flow_sid": studio_sid}  # fmt: skip
        add_name(f"IG{number:032}", "Address", resource="address_configuration",
                 reference=identity, status=chance.choice(["on", "on", "off"]), details=details)  # fmt: skip
    # As of the names: since after every change of a flow.
    ObjectReading.objects.update(read_at=timezone.now() + timedelta(days=1))


def set_details(sid, details, **values):
    ResourceName.objects.filter(sid=sid).update(details=details, **values)


def describe(answer, sids):
    """Return all that an answer says, without an order. `sids` are those of new flows."""
    return (
        answer.verdict,
        tuple(answer.steps),
        frozenset(
            (each.kind, sids.get(each.key, each.key), each.name, each.target,
             frozenset(each.problems), each.is_doubtful)
            for each in answer.handlers
        ),
        frozenset(
            (each.kind, sids.get(each.sid, each.sid), each.name, each.reason, each.detail,
             each.gets_it)
            for each in answer.candidates
        ),
        frozenset(answer.doubts),
    )  # fmt: skip


def ask_all(account, questions):
    return {each: Router(load_for_question(account, each)).explain(each) for each in questions}


def questions_of_mirror():
    """Return the question of each contact identity that a flow has."""
    flows = Flow.objects.filter(gone_at=None).values_list("resource", flat=True)
    questions = [question for flow in flows if (question := question_of_flow(flow))]
    return list({(each.channel, each.key): each for each in questions}.values())


def predict(account, plan):
    """Return the answers that a plan is expected to lead to, and what its review shows."""
    items = plan_items(plan)
    shown = {(each.question.channel, each.question.key) for each in preview_paths(items)}
    values = collect_values(items).get(account.sid, {})
    paths = load_planned(account, values)
    router = Router(paths.later)
    return values, {each: router.explain(each) for each in paths.questions}, shown


def check_prediction(sandbox, operator_actor, seed):
    """Compare the paths after a random plan's run with those that its preview predicts.

    Return how many of them the plan changed.
    """
    chance = random.Random(seed)
    add_surroundings(chance)
    add_random_flows(sandbox, chance, chance.randint(2, 9))
    account = twilio_accounts.get_account(ACCOUNT)
    plan = random_plan(chance)
    before = ask_all(account, questions_of_mirror())
    values, predicted, shown = predict(account, plan)
    alone = {
        each: Router(load_planned(account, values, each).later).explain(each) for each in before
    }
    before |= ask_all(account, [each for each in predicted if each not in before])

    statuses = run_to_end(plan, operator_actor) if plan.included_changes.exists() else []

    assert {*statuses} <= {ItemStatus.APPLIED, ItemStatus.SKIPPED}
    sync_account(ACCOUNT)
    sids = {
        f"planned-{item.change.position}": item.event.target_sid
        for item in plan_items(plan)
        if item.change.action == "flow.create" and item.event
    }
    after = ask_all(account, {*before, *predicted, *questions_of_mirror()})
    for question, answer in predicted.items():
        assert describe(answer, sids) == describe(after[question], {}), question
    for question, answer in alone.items():
        assert describe(answer, sids) == describe(after[question], {}), question
    changed = {
        (question.channel, question.key)
        for question, answer in after.items()
        if is_different(find_spelling(before, question), answer)
    }
    assert shown == changed
    return len(changed)


def find_spelling(answers, question):
    """Return the answer to a question, or to another spelling of it."""
    return next(
        answer for asked, answer in answers.items()
        if (asked.channel, asked.key) == (question.channel, question.key)
    )  # fmt: skip


@pytest.mark.parametrize("seed", QUICK_SEEDS)
def test_paths_after_a_plan_are_those_of_its_preview(sandbox, operator_actor, seed):
    assert check_prediction(sandbox, operator_actor, seed) > 0


@pytest.mark.long
@pytest.mark.parametrize("seed", OTHER_SEEDS)
def test_paths_after_many_plans_are_those_of_their_previews(sandbox, operator_actor, seed):
    check_prediction(sandbox, operator_actor, seed)
