"""Each situation has the verdict and the reasons that were written down for it before the code."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from flows.migration.verdict_reasons import Effect, Reason
from flows.migration.verdicts import Verdict, judge
from tests.flows.migration.parts import moving
from tests.flows.migration.situations import PROXIED, SITUATIONS
from tests.flows.routing.world import READ_AT, N, address, build, sid_of

FLOW = sid_of("a", "FO")


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda each: f"{each.channel}: {each.title}")
def test_situation(situation):
    state = build(situation.world, situation.channel, situation.identity)

    judgement = judge(FLOW, state)

    assert {each.reason for each in judgement.reasons} == situation.reasons
    assert judgement.verdict == situation.verdict


def test_table_has_enough_situations_every_reason_and_no_title_twice():
    titles = Counter((each.channel, each.title) for each in SITUATIONS)

    assert len(SITUATIONS) >= 40
    assert max(titles.values()) == 1
    assert set().union(*(each.reasons for each in SITUATIONS)) == set(Reason)


def test_worst_reason_comes_first_and_is_the_main_one():
    state = build([PROXIED, moving(kind="task", long_lived=True, janitor_enabled=True)], "sms", N)

    judgement = judge(FLOW, state)

    assert [each.reason for each in judgement.reasons] == [
        Reason.TASK,
        Reason.LONG_LIVED,
        Reason.JANITOR,
    ]
    assert judgement.main_reason.reason == Reason.TASK


def test_address_of_the_flows_own_migration_is_no_reason():
    state = build([PROXIED, moving(), address("x")], "sms", N)

    assert judge(FLOW, state, own_address_sid=sid_of("x", "IG")).reasons == ()
    assert judge(FLOW, state, own_address_sid=sid_of("x", "IG")).verdict == Verdict.AUTOMATIC


def test_every_reason_has_its_own_words_and_each_but_information_says_what_to_do():
    sentences = Counter(reason.value.sentence for reason in Reason)

    assert max(sentences.values()) == 1
    for reason in Reason:
        if reason.value.effect != Effect.INFORMATION:
            assert reason.value.to_do.endswith("."), reason


def test_reason_names_what_it_is_about():
    state = build([moving(channel="line", identity="store-1")], "line", "store-1")

    [found] = judge(FLOW, state).reasons

    assert found.sentence == "Addresses don't have the channel LINE."


@pytest.mark.parametrize(("days", "reason"), [(1, "NUMBER_NOT_OWNED"), (-1, "NUMBERS_UNREAD")])
def test_number_is_missing_only_if_the_numbers_were_read_after_the_flows_last_change(days, reason):
    state = build([moving(date_updated=READ_AT.isoformat())], "sms", N)
    account = replace(state.account, read_at={"phone_number": READ_AT + timedelta(days=days)})

    judgement = judge(FLOW, replace(state, account=account))

    assert [each.reason for each in judgement.reasons] == [Reason[reason]]


def test_other_flows_are_named_up_to_three():
    others = [moving(letter) for letter in "bcdef"]
    one = judge(FLOW, build([PROXIED, moving(), *others[:1]], "sms", N)).main_reason
    many = judge(FLOW, build([PROXIED, moving(), *others], "sms", N)).main_reason

    assert one.sentence.startswith("“b” is also on for this identity")
    assert many.sentence.startswith("“b”, “c”, “d” and 2 more are also on for this identity")
