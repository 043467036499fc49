"""Tests of errors and outcomes: what a failure takes over from its error."""

import pytest

from processors.event.errors import FilterError, InvalidEventError, MalformedEventError, MappingError, Violation
from processors.routes.outcome import Failed


@pytest.mark.parametrize(
    ("error", "stage", "code"),
    [
        (MalformedEventError("m"), "source", "MalformedEvent"),
        (FilterError("m"), "filter", "Filter"),
        (MappingError("m", code="MappingTimeout"), "transform", "MappingTimeout"),
        (InvalidEventError("m"), "validate", "InvalidEvent"),
    ],
)
def test_a_failure_names_stage_and_code_of_its_error(error, stage, code):
    assert Failed.of(error, "r", {"a": 1}) == Failed(stage, code, "m", (), "r", {"a": 1}, 0)


def test_details_travel_along():
    details = [Violation("a", "type")]
    assert Failed.of(InvalidEventError("m", details=details)).details == tuple(details)


@pytest.mark.parametrize(
    ("violation", "json"),
    [
        (Violation("a", "type"), {"path": "a", "rule": "type"}),
        (Violation("", "required", "is missing"), {"path": "", "rule": "required", "message": "is missing"}),
    ],
)
def test_violation_as_json(violation, json):
    assert violation.as_json() == json
