"""JSON with masks, as a user edits it: each mask becomes its secret again, and only in its place."""

import pytest

from flows.redaction.json_masks import has_new_mask, restore_parts
from flows.redaction.redacted import redact_snapshot

TOKENS = ("f1rst-s3cret-7d20", "s3cond-s3cret-99ab", "th1rd-s3cret-4c4c")
ENTRIES = [{"name": name, "token": token} for name, token in zip("abc", TOKENS, strict=True)]
KEY = "SK" + "5b" * 16


def shown(value):
    return redact_snapshot({"attributes": value})["attributes"]


@pytest.mark.parametrize(
    "edit",
    [
        lambda entries: entries[1:],
        lambda entries: entries[::-1],
        lambda entries: [{"name": "new", "token": "plain"}, *entries],
        lambda entries: [entries[2], {**entries[0], "name": "renamed"}],
        lambda entries: [*entries, {"name": "d"}],
    ],
)
def test_entries_of_a_list_can_move(edit):
    masked = shown(ENTRIES)

    assert restore_parts(edit(masked), masked, ENTRIES) == edit(ENTRIES)
    assert not has_new_mask(edit(masked), masked)


def test_keys_with_secrets_are_kept_while_another_part_changes():
    original = {"keys": {KEY: {"label": "Prod"}}, "x": {"y": 1}}
    masked = shown(original)
    edited = {**masked, "x": {"y": 2}}

    assert KEY not in str(masked)
    assert restore_parts(edited, masked, original) == {**original, "x": {"y": 2}}
    assert not has_new_mask(edited, masked)


def test_keys_that_no_database_stores_are_kept():
    original = {"a\0": 5, "x": 1}

    assert restore_parts({"a␀": 5, "x": 2}, {"a␀": 5, "x": 1}, original) == {"a\0": 5, "x": 2}


@pytest.mark.parametrize(
    "edit",
    [
        lambda masked: {**masked, "copy": masked["token"]},
        lambda masked: {"nested": masked},
        lambda masked: {masked["token"]: 1},
        lambda masked: {"token": f"{masked['token']} and more"},
    ],
)
def test_mask_in_another_place_is_found(edit):
    masked = shown({"token": TOKENS[0]})

    assert has_new_mask(edit(masked), masked)


def test_equal_entries_keep_their_order():
    original = [{"a": 1, "token": TOKENS[0]}, {"a": 1, "token": TOKENS[0]}, {"a": 2}]
    masked = shown(original)

    assert restore_parts(masked[:2], masked, original) == original[:2]
