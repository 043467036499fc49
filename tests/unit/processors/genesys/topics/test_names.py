"""Tests of which queues the settings mean: whatever characters a name has, it can be chosen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.genesys.topics.names import chosen, unmatched
from settings import Settings

A, B = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa", "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"


def of(text, **known):
    """Ids that the setting means, the known queues given as id=name."""
    return chosen(Settings(genesys_queues=text).genesys_queues, known)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("*", ("1", "2", "3")),
        ("priority*", ("1", "2")),
        ("Priority Sales, *billing*", ("1", "3")),
        ("~priority*", ("1", "2")),
        ("=priority*", ()),
        ("=billing", ("3",)),
        ("~billing", ("3",)),
        ("BILLIN?", ("3",)),
        (f"{A.upper()}, nothing like it", (A,)),
        ("", ()),
    ],
)
def test_queues_are_chosen_by_id_name_or_pattern(wanted, expected):
    assert of(wanted, **{"1": "Priority Sales", "2": "PRIORITY support", "3": "Billing"}) == expected


def test_a_name_with_every_character_that_could_mean_more():
    """The name as an operator copies it, its comma and all."""
    known = {"1": "Sales [DE], Süd & Co", "2": "Sales D", "3": "Süd & Co"}
    for text in ("Sales [DE], Süd & Co", "sales [de],süd & co", '["Sales [DE], Süd & Co"]', "=Sales [DE], Süd & Co"):
        assert of(text, **known) == ("1",), text
    assert of("Sales D, Sales [DE], Süd & Co", **known) == ("1", "2")


@pytest.mark.parametrize(
    "name",
    ["VIP*", "What?", "[DE] Sales", "~tilde", "=equals", "a|b", r"C:\x", "(x)", "A+B", "{id}", "100 %", "A & B"],
)
def test_a_name_is_never_taken_for_a_pattern(name):
    known = {"1": name, "2": "VIP Gold", "3": "Whats", "4": "D", "5": "aXb"}
    assert of(name, **known) == ("1",)


@given(st.text(min_size=1, max_size=40).filter(lambda name: name.strip() and not name.strip(" ,").startswith("[")))
def test_any_name_chooses_its_queue(name):
    assert chosen((name.strip(),), {"1": name, "2": "another one"}) in {("1",), ("1", "2")}
    if "," not in name:
        assert "1" in of(name, **{"1": name.strip()})


def test_names_that_differ_by_case_alone_are_told_apart():
    known = {"1": "Sales", "2": "SALES"}
    assert of("Sales", **known) == ("1",)
    assert of("sales", **known) == ("1", "2")


def test_a_list_of_names_stays_a_list_when_a_queue_is_named_so():
    """A queue that somebody makes later must not take the others' place."""
    assert of("A, B", **{"1": "A", "2": "B", "3": "A, B"}) == ("1", "2", "3")
    assert of("A, B", **{"1": "A", "3": "A, B"}) == ("3",)


def test_what_names_nothing_is_told():
    known = {"1": "Sales"}
    assert unmatched(("Sales", "Seles", "*x*", A), known) == ("Seles",)
