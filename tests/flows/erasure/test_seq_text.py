"""Numbers of events as text."""

from flows.erasure.seq_text import format_seqs, name_events


def test_long_list_of_events_is_shortened():
    assert format_seqs([3, 4, 5, 9]) == "3-5, 9"
    assert format_seqs(range(1, 100, 2)).endswith("37, 39 and 30 more places")


def test_events_are_named_for_a_sentence():
    assert name_events([3]) == "event 3"
    assert name_events([3, 4, 9]) == "events 3-4, 9"
