"""This module tests that a record which is shown tells nothing of what REDACT_FIELDS names."""

import orjson
import pytest

from processors.event.redaction import MASK
from processors.replay.masking import masked_record

SECRET = "+491701234567"
RECORD = {
    "originalEvent": {"payload": {"ani": SECRET, "type": "voice"}},
    "error": "SchemaViolation",
    "message": f"breaks its schema: {SECRET}",
    "details": [{"path": "detail.ani", "rule": "pattern", "message": f"{SECRET} does not match"}, "no detail"],
    "transformedEvent": {"detail": {"caller": SECRET}},
}


def test_a_value_is_nowhere_in_what_is_shown():
    shown = masked_record(RECORD, ["payload.ani"])
    assert SECRET not in orjson.dumps(shown).decode()
    assert shown["originalEvent"] == {"payload": {"ani": MASK, "type": "voice"}}
    assert (shown["error"], shown["transformedEvent"]) == ("SchemaViolation", MASK)
    assert shown["details"] == [{"path": "detail.ani", "rule": "pattern", "message": MASK}]


def test_what_has_no_such_field_or_was_masked_at_intake_is_shown_whole():
    masked = {**RECORD, "originalEvent": {"payload": {"ani": MASK}}}
    assert masked_record(masked, ["payload.ani"]) == masked
    assert masked_record(RECORD, ["payload.nothing"]) == RECORD
    assert masked_record(RECORD, []) == RECORD


@pytest.mark.parametrize("original", ["eyJhbmki", f'{{"payload": {{"ani": "{SECRET}', [SECRET], 5])
def test_what_cannot_be_looked_through_is_withheld(original):
    shown = masked_record({**RECORD, "originalEvent": original}, ["payload.ani"])
    assert shown["originalEvent"] == MASK
    assert SECRET not in orjson.dumps(shown).decode()


def test_a_record_without_its_event_stays_as_it_is():
    record = {"originalEvent": None, "error": "LineTooLong", "message": "x"}
    assert masked_record(record, ["payload.ani"]) == record
