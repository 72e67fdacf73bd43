"""The resources of the Flex API agree with facts that were written down apart from the code."""

import pytest

from tests.flows.resources.conftest import FACTS, PARENTS, RESOURCES, path_of

every_resource = pytest.mark.parametrize("name", FACTS)


def test_every_resource_has_facts():
    assert FACTS.keys() == RESOURCES.keys()


@every_resource
def test_calls_and_names_are_those_of_the_facts(name):
    resource, facts = RESOURCES[name], FACTS[name]

    path = resource.collection_path(account_sid="", parent_sid=PARENTS.get(name, ""))
    assert path_of(name).endswith(f"/{resource.version}/{path}")
    assert resource.product == facts.get("product", "flex-api")
    assert resource.max_page_size == facts.get("largest_page", 1000)
    assert (resource.list_key, resource.sid_prefix) == (facts["key"], facts["sid"])
    assert resource.operations == set(facts["calls"])


@every_resource
@pytest.mark.parametrize("operation", ["create", "update"])
def test_parameters_are_those_of_the_facts(name, operation):
    resource = RESOURCES[name]
    fields = resource.fields_set_by(operation) if operation in resource.operations else ()

    assert {field.wire: field.name for field in fields} == FACTS[name][operation]


@every_resource
def test_required_parameters_are_those_of_the_facts(name):
    required = [field.wire for field in RESOURCES[name].fields if field.required_on_create]

    assert required == FACTS[name]["required"]


@every_resource
def test_variants_and_choices_are_those_of_the_facts(name):
    resource, facts = RESOURCES[name], FACTS[name]

    takes = {field.name: field.takes for field in resource.fields if field.takes}
    assert takes == {field: (variant,) for field, variant in facts.get("takes", {}).items()}
    for field, choices in facts.get("choices", {}).items():
        assert set(resource.field(field).choices) == set(choices)


@every_resource
def test_fields_of_answers_are_those_of_the_facts(name):
    resource = RESOURCES[name]
    returned = {
        resource.sid_field if field.name == "sid" else field.name
        for field in resource.fields
        if field.is_returned
    }

    assert returned <= set(FACTS[name]["answers"])


@every_resource
def test_resource_says_what_it_is(name):
    resource = RESOURCES[name]

    assert resource.summary.endswith(".")
    has_list = "list" in resource.operations
    assert bool(resource.list_columns) == has_list
    assert set(resource.list_columns) <= resource.by_name.keys()
    assert resource.deletion_effect or "delete" not in resource.operations
