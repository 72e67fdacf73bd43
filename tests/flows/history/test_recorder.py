"""The states at random moments are what a recorder beside the sandbox wrote down."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest

from flows.history.known_states import DELETED, EXISTS, NOT_KNOWN_YET, states_at
from flows.history.moments import find_position
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.sandbox.server import Sandbox
from tests.flows.history.recorder import Clock, Story
from tests.property_tests import choose_seeds

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 1, 8, tzinfo=UTC)
MOMENTS = 200


def random_moments(dice, story):
    """Return random moments of the story, in any order."""
    length = (story.pages[-1].at - story.pages[0].at).total_seconds()
    return [story.pages[0].at + timedelta(seconds=dice.uniform(0, length)) for _ in range(MOMENTS)]


def find_faults(states, page):
    """Return where the states of a moment aren't what the recorder wrote down."""
    for sid, flow in page.known.items():
        state = states.get(sid)
        if state is None or state.kind != (EXISTS if flow else DELETED):
            yield f"{sid}: {state} instead of {flow}"
        elif flow and FLEX_FLOW.changed_writable_fields(flow, state.values):
            yield f"{sid}: {state.values} instead of {flow}"
        if state and (state.open_change is not None) != (sid in page.in_doubt):
            yield f"{sid}: open change {state.open_change}"
    for sid, state in states.items():
        if sid not in page.known and state.kind != NOT_KNOWN_YET:
            yield f"{sid}: {state}, but nobody knew it"


def find_false_certainty(states, page):
    """Return flows that were otherwise at Twilio, although their state isn't called uncertain."""
    for sid, state in states.items():
        current = page.at_twilio.get(sid)
        known = state.values if state.kind == EXISTS else None
        is_same = (current is None) == (known is None)
        if current is not None and known is not None:
            is_same = not FLEX_FLOW.changed_writable_fields(known, current)
        if not is_same and not state.is_uncertain:
            yield f"{sid}: {state} is certain, but Twilio had {current}"


@pytest.mark.parametrize("seed", choose_seeds(1))
def test_states_at_random_moments_are_what_a_recorder_wrote_down(settings, sandbox, seed):
    dice, clock = random.Random(seed), Clock(START)
    with mock.patch("django.utils.timezone.now", side_effect=clock):
        with Sandbox(clock=clock) as twilio:
            settings.FLEX_API_URL, settings.TWILIO_API_URL = twilio.url, twilio.api_url
            story = Story(twilio, dice, clock)
            for number in range(6):
                twilio.add_flow(friendly_name=f"Flow {number}", enabled=False)
            story.sync()
            story.write_down()
            story.play(70)

        certainties = Counter()
        for moment in random_moments(dice, story):
            states, page = states_at(find_position(moment)), story.page_at(moment)
            assert not list(find_faults(states, page)), moment
            assert not list(find_false_certainty(states, page)), moment
            certainties.update(state.is_uncertain for state in states.values())

    assert min(certainties[True], certainties[False]) > MOMENTS  # there are many of both
