"""This module tests drafts of routes: everything that is wrong is told at once, with its place."""

from pathlib import Path

import orjson
import pytest

from processors.event.identity import identify
from processors.routes.draft import Draft, DraftTrial

FOLDER = Path(__file__).parents[4] / "schemas" / "interaction"
FILTER, MAPPING, SCHEMA = (
    (FOLDER / name).read_text("utf-8") for name in ("filter.jsonata", "mapping.jsonata", "schema.json")
)
CALL = {
    "id": "i-1",
    "resourceType": "interaction",
    "eventType": "created",
    "createdTime": "2026-11-23T10:00:00.000Z",
    "payload": {"type": "voice", "priority": "high"},
}


def tried(event=CALL, steps=None, **texts):
    draft = Draft(**{"filter": FILTER, "mapping": MAPPING, "schema": SCHEMA, **texts})
    begin = lambda *step: steps.append(step) if steps is not None else None  # noqa: E731
    return DraftTrial(draft, identify(event), 1_000, begin).run()


def places(found, key="errors"):
    return [(one.get("part") or one["path"], one["line"], one["column"]) for one in found[key]]


def test_a_good_draft_maps_and_says_on_which_engine():
    found = tried()
    assert (found["outcome"], found["takes"], found["errors"], found["details"]) == ("mapped", True, [], [])
    assert found["transformedEvent"]["detail"]["priority"] == "high"
    assert found["engine"] == "jsonatapy"
    assert "error" not in found


def test_mapped_fields_that_nothing_reads_are_named():
    assert "note" not in tried()
    found = tried(mapping='$merge([%s, {"Time": createdTime}])' % MAPPING, schema="{}")  # noqa: UP031  # braces
    assert found["outcome"] == "mapped"
    assert found["note"].startswith("nothing reads Time of the mapped event")


def test_what_does_not_compile_is_told_of_all_texts_at_once():
    found = tried(filter="true and\n(a", mapping='{"a": }', schema='{"type": "object",}')
    assert found["outcome"] == "invalid"
    assert places(found) == [("filter", 2, 1), ("mapping", 1, 7), ("schema", 1, 18)]


def test_a_wrong_schema_is_told_at_the_place_of_its_fault():
    found = tried(schema='{"properties": {\n  "time": {"type": "strin"}}}')
    assert places(found) == [("schema", 2, 20)]
    assert found["transformedEvent"] is not None  # the mapping is shown beside it


def test_an_evaluation_that_stops_is_told_at_its_place():
    found = tried(mapping='{\n  "time": payload.type + 1\n}')
    assert (found["outcome"], found["stage"], found["error"]) == ("failed", "transform", "MappingError")
    assert places(found) == [("mapping", 2, 24)]


def test_every_violation_is_told_with_the_place_in_the_mapping():
    found = tried({**CALL, "createdTime": "yesterday", "payload": {"type": "voice"}}, filter="true")
    assert (found["outcome"], found["error"]) == ("failed", "SchemaViolation")
    lines = {one["path"]: MAPPING.splitlines()[one["line"] - 1].strip() for one in found["details"]}
    assert set(lines) == {"detail.priority", "detail.timestamp", "time"}
    assert lines["detail.timestamp"].startswith('"timestamp"')
    assert lines["time"].startswith('"time"')


def test_a_field_that_the_mapping_does_not_name_has_the_place_of_what_is_around_it():
    found = tried(mapping='{"detail": $merge([payload])}', filter="true")
    by_path = {one["path"]: (one["line"], one["column"]) for one in found["details"]}
    assert by_path["detail.interactionId"] == (1, 2)
    assert by_path["time"] == (None, None)


def test_what_the_filter_leaves_is_mapped_all_the_same():
    found = tried(filter="false")
    assert (found["outcome"], found["takes"]) == ("filtered", False)
    assert found["transformedEvent"]["detail"]["type"] == "voice"


def test_a_filter_that_raises_fails_and_does_not_hide_the_mapping():
    found = tried(filter="payload.type + 1")
    assert (found["outcome"], found["stage"]) == ("failed", "filter")
    assert places(found) == [("filter", 1, 14)]
    assert found["transformedEvent"] is not None


@pytest.mark.parametrize(
    ("mapping", "error"),
    [("[1]", "MappingError"), ('{"detail": "text"}', "SchemaViolation"), ("$eventId()", "MappingError")],
)
def test_what_is_no_entry_fails(mapping, error):
    assert tried(mapping=mapping)["error"] == error


def test_an_entry_beyond_the_limits_of_eventbridge_fails_beside_an_open_schema():
    found = tried(mapping='{"source": "s", "detail-type": $pad("", 200, "x"), "detail": {}}', schema="{}")
    assert (found["outcome"], found["error"], places(found, "details")) == (
        "failed",
        "EntryLimits",
        [("detail-type", 1, 17)],
    )


def test_each_step_is_said_before_it_begins():
    steps = []
    tried(steps=steps)
    assert steps == [
        ("filter", "compile"),
        ("mapping", "compile"),
        ("schema", "compile"),
        ("filter", "evaluate"),
        ("mapping", "evaluate"),
    ]


def test_all_of_it_is_json():
    for mapping in ("{", '{"a": function($x){$x}}', '{"a": $eventId}', "payload"):
        orjson.dumps(tried(mapping=mapping))
