"""Addresses of the routing page with a question."""

from __future__ import annotations

from urllib.parse import urlencode

from django.urls import reverse

from flows.mirror.models import Flow
from flows.routing.forms import IDENTITY_MAX
from flows.routing.questions import Question, question_of_flow


def routing_query(account_sid: str, question: Question) -> dict[str, str]:
    """Return the fields of the routing page's form for a question about incoming messages."""
    query = {"account": account_sid, "channel": question.channel, "identity": question.identity}
    return {name: value for name, value in query.items() if value}


def flow_routing_url(flow: Flow) -> str:
    """Return the address that answers who gets a flow's messages, or "" if that can't be asked."""
    question = question_of_flow(flow.resource)
    if question is None or len(question.identity) > IDENTITY_MAX:
        return ""
    return f"{reverse('checks:routing')}?{urlencode(routing_query(flow.account_sid, question))}"


def plan_routing_url(plan_id: object) -> str:
    """Return the address of the routing page that also answers for after a bulk change."""
    return f"{reverse('checks:routing')}?{urlencode({'plan': str(plan_id)})}"
