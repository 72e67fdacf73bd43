"""The Category resource of Flex Insights: groups of questions. This site only reads it.

Source: Twilio's OpenAPI spec of Flex v1, 2026-04. Its SID is `category_sid`.
"""

from __future__ import annotations

from typing import Final

from flows.twilio.description import INSIGHTS_HEADER
from flows.twilio.fields import Field
from flows.twilio.registry import register
from flows.twilio.resource import Resource

QUESTION_CATEGORY: Final = register(
    Resource(
        name="question_category",
        title="Question category",
        plural="Question categories",
        path="Insights/QualityManagement/Categories",
        list_key="categories",
        sid_prefix="FY",
        sid_field="category_sid",
        optional_header=INSIGHTS_HEADER,
        name_field="name",
        operations=frozenset({"list"}),
        summary="Groups of questions.",
        list_columns=("name",),
        fields=(
            Field(
                name="sid",
                label="Category SID",
                kind="sid",
                sid_prefix="FY",
                help="Twilio's unique identifier of this category.",
            ),
            Field(name="name", label="Name", kind="text", help="A name to find it by."),
        ),
    )
)
