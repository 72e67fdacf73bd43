"""The Question resource of Flex Insights: what a questionnaire asks. This site only reads it.

Source: Twilio's OpenAPI spec of Flex v1, 2026-04. Its SID is `question_sid`. `usage` is the number
of questionnaires that have the question.
"""

from __future__ import annotations

from typing import Final

from flows.twilio.description import INSIGHTS_HEADER
from flows.twilio.fields import Field
from flows.twilio.flex.questionnaire import QUESTIONNAIRE
from flows.twilio.registry import register
from flows.twilio.resource import Resource

QUESTION: Final = register(
    Resource(
        name="question",
        title="Question",
        plural="Questions",
        path="Insights/QualityManagement/Questions",
        list_key="questions",
        sid_prefix="GE",
        sid_field="question_sid",
        optional_header=INSIGHTS_HEADER,
        name_field="question",
        operations=frozenset({"list"}),
        summary="What questionnaires ask. A question leads to those that use it.",
        list_columns=("question", "usage", "allow_na"),
        used_in=QUESTIONNAIRE,
        fields=(
            Field(
                name="sid",
                label="Question SID",
                kind="sid",
                sid_prefix="GE",
                help="Twilio's unique identifier of this question.",
            ),
            Field(name="question", label="Question", kind="text", help="What is asked."),
            Field(name="description", label="Description", kind="text", help="How to answer it."),
            Field(
                name="usage",
                label="Questionnaires that use it",
                kind="integer",
                help="How many questionnaires have this question.",
            ),
            Field(
                name="allow_na",
                label="“Not applicable” allowed",
                kind="boolean",
                help="Whether the question can be left unanswered.",
            ),
        ),
    )
)
