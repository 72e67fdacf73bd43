"""The objects of the Flex API that belong to the seeded flows: conversations and questionnaires.

Channels belong to flows that are on, web channels to those for web chat. Some flows have none. The
customers and agents are fictional. `complete` adds what only Twilio sets.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flows.twilio.flex.channel import CHANNEL
from flows.twilio.flex.configuration import CONFIGURATION
from flows.twilio.flex.provision_status import PROVISION_STATUS
from flows.twilio.flex.question import QUESTION
from flows.twilio.flex.question_category import QUESTION_CATEGORY
from flows.twilio.flex.questionnaire import QUESTIONNAIRE
from flows.twilio.flex.web_channel import WEB_CHANNEL
from flows.twilio.sandbox.configuration_seed import make_configuration
from flows.twilio.sandbox.named_bodies import make_sid
from flows.twilio.sandbox.responses import ApiError
from flows.twilio.sandbox.rules import format_timestamp
from flows.twilio.sandbox.store import Store

if TYPE_CHECKING:
    from flows.twilio.resource import Resource
    from flows.twilio.sandbox.rules import Body, Values
    from flows.twilio.sandbox.store_files import StoreFiles

FLOW_NOT_FOUND = 45205
MAX_OBJECTS = 20_000
MAX_CHANNELS = 12  # of one flow, unless the sandbox is asked for more
MAX_AGE = timedelta(days=3)
QUESTIONS = {
    "Opening": ("Did the agent greet the customer?", "Did the agent give their name?"),
    "Solution": ("Was the customer's question answered?", "Were the next steps clear?"),
    "Tone": ("Was the agent friendly throughout?",),
    "Data protection": ("Did the agent verify the customer's identity?",),
}
# The name, whether it is active, and the numbers of its questions.
QUESTIONNAIRES = (
    ("Chat quality", True, (0, 2, 3, 4)),
    ("Phone and callbacks", True, (0, 1, 2)),
    ("Sensitive cases", True, (0, 2, 5)),
    ("Pilot 2024", False, (4,)),
)


def make_stores(
    flows: Mapping[str, Body],
    *,
    account_sid: str,
    clock: Callable[[], datetime],
    files: StoreFiles,
    channels: int,
    has_flow: Callable[[str], bool],
) -> Iterator[Store]:
    """Yield a store for each resource, with objects of these flows.

    `channels` is the smallest number of channels. `has_flow` says whether a flow exists now.
    """

    def make_store(
        resource: Resource,
        bodies: Iterable[Body] = (),
        complete: Callable[[Body, Values], Body] | None = None,
    ) -> Store:
        store = Store(
            resource,
            account_sid=account_sid,
            clock=clock,
            limit=MAX_OBJECTS,
            file=files.file_of(resource),
            seed=lambda: bodies,
            complete=complete,
        )
        # Another start has other flows, and so would have other conversations.
        store.save()
        return store

    def complete_channel(body: Body, _values: Values) -> Body:
        if not has_flow(body["flex_flow_sid"]):
            message = f"Flex Flow {body['flex_flow_sid']} was not found"
            raise ApiError(HTTPStatus.BAD_REQUEST, FLOW_NOT_FOUND, message)
        return {"user_sid": make_sid("US", body["sid"]), **body}

    conversations = _Conversations(flows, account_sid, clock())
    yield make_store(CHANNEL, conversations.channels(channels), complete_channel)
    yield make_store(WEB_CHANNEL, conversations.web_channels(), complete_channel)
    yield make_store(CONFIGURATION, [make_configuration(account_sid, clock(), flows)])
    yield make_store(PROVISION_STATUS, [{"sid": account_sid, "status": "active"}])
    insights = _Insights(account_sid)
    yield make_store(QUESTIONNAIRE, insights.questionnaires(), insights.with_questions)
    yield make_store(QUESTION, insights.questions())
    yield make_store(QUESTION_CATEGORY, insights.categories())


class _Conversations:
    """Generates the channels of these flows, oldest first."""

    def __init__(self, flows: Mapping[str, Body], account_sid: str, end_time: datetime) -> None:
        self._random = random.Random(f"channels {len(flows)}")  # noqa: S311 - not a secret
        self._account_sid = account_sid
        self._end_time = end_time
        self._web_flows: list[Body] = []
        self._flows: list[Body] = []
        for flow in reversed(list(flows.values())):
            is_web = flow.get("channel_type") == "web"
            if flow.get("enabled"):
                (self._web_flows if is_web else self._flows).append(flow)

    def channels(self, minimum: int) -> list[Body]:
        counts = self._counts(self._flows)
        missing = max(0, minimum - sum(counts.values()))
        for position in range(missing if self._flows else 0):
            counts[self._flows[position % len(self._flows)]["sid"]] += 1
        by_sid = {flow["sid"]: flow for flow in self._flows}
        bodies = [
            self._conversation("CH", by_sid[sid], number)
            for sid, count in counts.items()
            for number in range(count)
        ]
        for body in bodies:
            flow = by_sid[body["flex_flow_sid"]]
            has_task = flow.get("integration_type") == "task"
            body["task_sid"] = make_sid("WT", body["sid"]) if has_task else None
            body["user_sid"] = make_sid("US", body["sid"])
        return sorted(bodies, key=_creation_date)

    def web_channels(self) -> list[Body]:
        counts = self._counts(self._web_flows)
        by_sid = {flow["sid"]: flow for flow in self._web_flows}
        bodies = [
            self._conversation("CH web", by_sid[sid], number)
            for sid, count in counts.items()
            for number in range(count)
        ]
        return sorted(bodies, key=_creation_date)

    def _counts(self, flows: Iterable[Body]) -> dict[str, int]:
        """Return the number of conversations of each flow. Half of the flows have none."""
        return {
            flow["sid"]: self._random.choice((0, 0, 0, 0, 1, 2, 3, MAX_CHANNELS)) for flow in flows
        }

    def _conversation(self, kind: str, flow: Body, number: int) -> Body:
        created_at = self._end_time - MAX_AGE * self._random.random()
        updated_at = created_at + (self._end_time - created_at) * self._random.random()
        return {
            "sid": make_sid("CH", f"{kind} {flow['sid']} {number}"),
            "account_sid": self._account_sid,
            "flex_flow_sid": flow["sid"],
            "date_created": format_timestamp(created_at),
            "date_updated": format_timestamp(updated_at),
        }


class _Insights:
    """Generates the questionnaires of Flex Insights with their questions."""

    def __init__(self, account_sid: str) -> None:
        self._account_sid = account_sid
        self._texts = [(text, category) for category, texts in QUESTIONS.items() for text in texts]

    def categories(self) -> list[Body]:
        return [self._category(name) for name in QUESTIONS]

    def questions(self) -> list[Body]:
        return [self._question(position) for position in range(len(self._texts))]

    def questionnaires(self) -> list[Body]:
        return [
            {
                "sid": make_sid("GM", name),
                "questionnaire_sid": make_sid("GM", name),
                "account_sid": self._account_sid,
                "name": name,
                "description": f"{name}: used by the supervisors of Example Care",
                "active": is_active,
                "questions": [self._question(position) for position in positions],
            }
            for name, is_active, positions in QUESTIONNAIRES
        ]

    def with_questions(self, body: Body, _values: Values) -> Body:
        """Return a questionnaire with its questions as objects."""
        by_sid = {question["question_sid"]: question for question in self.questions()}
        sids = [
            item["question_sid"] if isinstance(item, dict) else item
            for item in body.get("questions") or []
        ]
        questions = [by_sid.get(sid, {"question_sid": sid}) for sid in sids]
        return body | {"questions": questions}

    def _category(self, name: str) -> Body:
        sid = make_sid("FY", name)
        return {"sid": sid, "category_sid": sid, "account_sid": self._account_sid, "name": name}

    def _question(self, position: int) -> dict[str, Any]:
        text, category = self._texts[position]
        sid = make_sid("GE", text)
        category_sid = make_sid("FY", category)
        return {
            "sid": sid,
            "question_sid": sid,
            "account_sid": self._account_sid,
            "question": text,
            "description": "",
            "category": {"category_sid": category_sid, "name": category},
            "answer_set_id": "1",
            "answers": [{"answer": "Yes"}, {"answer": "No"}],
            "allow_na": True,
            "usage": sum(position in positions for _, _, positions in QUESTIONNAIRES),
        }


def _creation_date(body: Body) -> str:
    return str(body["date_created"])
