"""The Questionnaire resource of Flex Insights: the questions by which supervisors rate agents.

Source: Twilio's OpenAPI spec of Flex v1, 2026-04. Its SID is `questionnaire_sid`. Questionnaires
have no dates, so that one with the requested values may be older than a lost creation. `Active` is
required in every update.
"""

from __future__ import annotations

from typing import Final

from flows.twilio.description import INSIGHTS_HEADER
from flows.twilio.fields import Field
from flows.twilio.registry import register
from flows.twilio.resource import Resource

QUESTIONNAIRE: Final = register(
    Resource(
        name="questionnaire",
        title="Questionnaire",
        plural="Questionnaires",
        path="Insights/QualityManagement/Questionnaires",
        list_key="questionnaires",
        sid_prefix="GM",
        sid_field="questionnaire_sid",
        optional_header=INSIGHTS_HEADER,
        name_field="name",
        list_options={"IncludeInactive": "true"},
        match_proves_creation=False,
        summary="The questions by which supervisors rate conversations in Flex Insights.",
        list_columns=("name", "active", "questions"),
        deletion_effect="Supervisors can't use the questionnaire again. To keep it for later, make "
        "it inactive instead.",
        fields=(
            Field(
                name="sid",
                label="Questionnaire SID",
                kind="sid",
                sid_prefix="GM",
                help="Twilio's unique identifier of this questionnaire.",
            ),
            Field(
                name="account_sid",
                label="Account SID",
                kind="sid",
                sid_prefix="AC",
                help="The Twilio account of this questionnaire.",
            ),
            Field(
                name="name",
                label="Name",
                kind="text",
                wire="Name",
                required_on_create=True,
                max_length=256,
                is_free_text=True,
                help="A name to find this questionnaire by.",
            ),
            Field(
                name="description",
                label="Description",
                kind="text",
                wire="Description",
                max_length=1024,
                is_free_text=True,
                help="What supervisors use it for.",
            ),
            Field(
                name="active",
                label="Status",
                kind="boolean",
                wire="Active",
                choices={"true": "Active", "false": "Inactive"},
                default=True,
                is_sent_with_each_update=True,
                help="Supervisors can only use an active questionnaire.",
            ),
            Field(
                name="questions",
                label="Questions",
                kind="sids",
                sid_prefix="GE",
                wire="QuestionSids",
                item_key="question_sid",
                help="The SIDs of its questions in their order, one on each line. "
                "Each starts with GE.",
            ),
            Field(
                name="url",
                label="API URL",
                kind="url",
                help="The URL of this questionnaire in Twilio's API.",
            ),
        ),
    )
)
