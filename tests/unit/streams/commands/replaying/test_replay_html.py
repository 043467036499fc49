"""This module tests the page of what other routes would change."""

from __future__ import annotations

from html.parser import HTMLParser

from clients.kafka.ranges import Range
from processors.event.headers import Origin
from processors.routes.outcome import Failed, Filtered, Mapped
from streams.commands.replaying.replay_html import comparison_page
from streams.replay.replay import ReplayProgress

ORIGIN = Origin("genesys.raw", 0, 7)


class Reading(HTMLParser):
    """What a reader of the page sees, and what the page would load."""

    def __init__(self):
        super().__init__()
        self.text, self.tags, self.loads = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.loads += [value for name, value in attributes if name in ("src", "href")]

    def handle_data(self, data):
        self.text.append(data)


def mapped(kind):
    return {"calls": Mapped("calls", {"detail": {"type": kind}})}


def read(*compared):
    progress = ReplayProgress(Range("raw", {}, {}), read=len(compared))
    for before, after in compared:
        progress.comparison.add(ORIGIN, before, after)
    reading = Reading()
    reading.feed(comparison_page("genesys.raw", "./new", "what one runs", progress))
    return reading


def test_the_page_tells_fields_causes_and_examples():
    reading = read(
        (mapped("voice"), mapped("VOICE")),
        (mapped("voice"), {"calls": Failed("transform", "MappingError", "odd", (), "calls")}),
        (mapped("voice"), mapped("voice")),
    )
    text = " ".join(reading.text)
    assert "genesys.raw, tried on ./new, compared with what one runs:" in text
    assert "3 events read, 2 would change, 1 would not." in text
    for told in ("mapped differently", "detail.type", '"VOICE"', "MappingError", "genesys.raw/0/7", "(1 of 1)"):
        assert told in text
    assert reading.loads == []


def test_what_events_hold_is_text_and_never_markup():
    reading = read((mapped("<script>alert(1)</script>"), {"calls": Filtered()}))
    assert "script" not in reading.tags
    assert "<script>alert(1)</script>" in "".join(reading.text)


def test_nothing_changed_is_a_page_too():
    assert "0 would change" in " ".join(read((mapped("a"), mapped("a"))).text)
