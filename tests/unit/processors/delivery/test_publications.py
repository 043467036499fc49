"""This module tests what is remembered of EventBridge's answers."""

from processors.delivery.publications import Publication, Publications


def noted(*entries, most=10):
    publications = Publications(most)
    for number, (entry_id, event_id) in enumerate(entries):
        publications.note(entry_id, event_id, (0, number), 1_000 + number, ())
    return publications


def test_an_entry_is_found_by_its_event_and_by_eventbridges_id():
    publications = noted(("bus-1", "event-1"), ("bus-2", "event-2"), ("", "event-1"))
    assert [one.offset for one in publications.find("event-1")] == [0, 2]
    assert [one.event_id for one in publications.find("bus-2")] == ["event-2"]
    assert publications.find("bus-3") == []


def test_the_oldest_are_forgotten():
    publications = noted(("bus-1", "e"), ("bus-2", "e"), ("bus-3", "e"), most=2)
    assert [one.entry_id for one in publications.find("e")] == ["bus-2", "bus-3"]


def test_one_is_told_to_another_worker_and_read_again():
    one = Publication("bus-1", "event-1", 3, 1042, 1_000, ("ThrottlingException",))
    assert Publication.of({**one.as_json(), "codes": list(one.codes)}) == one
