"""An event's bytes become what is sent: everything in it can be carried by JSON."""

from __future__ import annotations

import orjson
import pytest

from processors.event.errors import Violation
from processors.routes import routes as answering
from processors.routes.outcome import Failed, Filtered, Mapped
from processors.routes.route import RouteTexts, compile_route
from processors.routes.routes import Encoded, Raw, Routed, Routes, encoded, route_event

EVENT = orjson.dumps({"id": "call-1", "ours": True})


def route(name: str, mapping: str, schema: dict[str, object] | None = None):
    texts = RouteTexts(name, "", "test", "test", None, "", "ours", mapping, schema or {}, ())
    return compile_route(texts)


ROUTES = Routes([route("b", '{"detail": {"id": id}}'), route("a", "1")])


def tried(raw: Raw) -> tuple[Routed, list[str]]:
    begun: list[str] = []
    return route_event(ROUTES, raw, 10_000, begun.append), begun


def test_every_route_answers_in_order_and_is_announced():
    found, begun = tried(Raw(EVENT))
    assert begun == ["a", "b"]
    assert [one.route for one in found.outcomes] == ["a", "b"]
    assert isinstance(found.outcomes[0], Failed)
    assert isinstance(found.outcomes[1], Encoded)
    assert orjson.loads(found.outcomes[1].value)["detail"] == {"id": "call-1"}
    assert found.key == "call-1"


def test_a_barred_route_is_not_tried():
    found, begun = tried(Raw(EVENT, None, ("a",)))
    assert begun == ["b"]
    assert [one.route for one in found.outcomes] == ["b"]


def test_bytes_that_are_no_event_have_neither_key_nor_id():
    found, begun = tried(Raw(b"[]", "given"))
    assert (found.key, found.event_id, begun) == (None, None, [])
    [failed] = found.outcomes
    assert isinstance(failed, Failed)
    assert (failed.stage, failed.error) == ("source", "NotAnObject")


def test_a_filtered_event_has_no_outcome():
    assert encoded(Filtered(), 100) is None
    assert tried(Raw(b'{"id": "call-1"}'))[0].outcomes == ()


def test_a_failure_loses_what_json_cannot_carry_and_keeps_the_rest():
    failed = Failed("validate", "X", "bad \ud800", (Violation("\ud800", "r", "m"),), "a", {"f": print})
    found = encoded(failed, 100)
    assert isinstance(found, Failed)
    orjson.dumps([found.message, found.details[0].path])
    assert found.transformed is None
    assert found.details[0].rule == "r"


def test_a_failure_keeps_a_transformed_event_that_fits():
    failed = Failed("validate", "X", "m", (), "a", {"detail": "x" * 50})
    assert encoded(failed, 100) == failed
    cut = encoded(failed, 60)
    assert isinstance(cut, Failed)
    assert cut.transformed is None


def test_a_mapped_event_above_the_limit_is_too_large():
    entry = {"detail": "x" * 50}
    size = len(orjson.dumps(entry))
    assert isinstance(encoded(Mapped("a", entry, orjson.dumps(entry)), size), Encoded)
    found = encoded(Mapped("a", entry, orjson.dumps(entry)), size - 1)
    assert isinstance(found, Failed)
    assert found.error == "EntryTooLarge"


def test_a_route_that_runs_out_of_memory_ends_the_process_not_the_event():
    class Greedy:
        name = "greedy"

        def apply(self, event: object) -> Failed:
            return Failed("transform", "MappingCrash", "out of memory", route="greedy")

    with pytest.raises(MemoryError):
        route_event([Greedy()], Raw(EVENT), 100, lambda _: None)  # type: ignore[arg-type]


def test_violations_beyond_what_a_record_holds_are_cut():
    details = tuple(Violation(str(number), "r") for number in range(answering.MAX_VIOLATIONS + 1))
    found = encoded(Failed("validate", "X", "m", details), 100)
    assert isinstance(found, Failed)
    assert found.details == details[:-1]
