"""Tests of the JSONata engines: bounds, our two functions, and that both give the same."""

import uuid

import pytest

from processors.event.errors import RouteError
from processors.event.identity import identify
from processors.routes.expressions import (
    ENGINES,
    EXACT,
    REFERENCE,
    ExpressionError,
    as_predicate,
    compile_text,
    engines_may_differ,
)

EVENT = identify({"id": "i", "payload": {"priority": "high", "list": [1, 2.5, None], "text": "\N{GRINNING FACE}"}})

both = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.__name__)


def test_the_fast_engine_is_installed_where_this_is_tested():
    assert len(ENGINES) == 2
    assert ENGINES[1] is REFERENCE


@both
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id", "i"),
        ("nothing", None),
        ('{"a": nothing}', {}),
        ('{"a": null, "b": []}', {"a": None, "b": []}),
        ("payload.list", [1, 2.5, None]),
        ("payload.{'p': priority}", {"p": "high"}),
        ("[payload.priority, nothing]", ["high"]),
        ("payload.*[0]", "high"),
        ("$map([1,2,3], function($v){$v*2})", [2, 4, 6]),
        ("10/5", 2),
        ("$fromMillis(0)", "1970-01-01T00:00:00.000Z"),
        ("$eventId()", EVENT.event_id),
    ],
)
def test_results_are_plain_json(engine, text, expected):
    assert engine(text)(EVENT) == expected


@both
def test_event_id_is_the_event_s_own_at_every_call(engine):
    expression = engine("$eventId()")
    other = identify({"id": "other"})
    assert [expression(EVENT), expression(other), expression(EVENT)] == [
        EVENT.event_id,
        other.event_id,
        EVENT.event_id,
    ]


@both
def test_uuids_are_new_at_every_call(engine):
    expression = engine("$uuidv4()")
    first, second = expression(EVENT), expression(EVENT)
    assert first != second
    assert uuid.UUID(first).version == 4


@both
def test_a_text_may_end_with_a_comment(engine):
    assert engine("1 + 1 /* two */")(EVENT) == 2


@both
@pytest.mark.parametrize("text", ["{", "", "a b", "2**3", "$f(", '"open', "1 /* open"])
def test_what_does_not_compile_names_its_file(engine, text):
    with pytest.raises(RouteError, match=r"calls/mapping\.jsonata: the JSONata does not compile"):
        compile_text(text, engine, "calls/mapping.jsonata")


@both
@pytest.mark.parametrize(
    "text",
    ["$nofunction()", "-payload", '$number("x")', "$sum(payload.priority)", "$error('x')", "[1..20000000]"],
)
def test_an_error_while_running_is_an_expression_error(engine, text):
    with pytest.raises(ExpressionError) as caught:
        engine(text)(EVENT)
    assert len(str(caught.value)) <= 500


@both
@pytest.mark.parametrize("text", ["($f := function($n){1 + $f($n + 1)}; $f(1))"])
def test_a_run_without_end_is_ended(engine, text):
    with pytest.raises(ExpressionError) as caught:
        engine(text)(EVENT)
    assert caught.value.kind == "Timeout"


@both
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true", True),
        ("false", False),
        ("id", True),
        ('""', False),
        ("0", False),
        ("1", True),
        ("[]", False),
        ("[0]", False),
        ("[0, 1]", True),
        ("{}", False),
        ('{"a": 1}', True),
        ("null", False),
        ("nothing", None),
        ("/* a comment */ true", True),
    ],
)
def test_a_filter_is_cast_as_jsonata_casts(engine, text, expected):
    assert engine(as_predicate(text))(EVENT) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, False),
        (1.5, False),
        (True, False),
        (EXACT, False),
        (-EXACT, False),
        (EXACT + 1, True),
        (1.0, True),
        (1e300, True),
    ],
)
def test_numbers_on_which_engines_differ(value, expected):
    assert engines_may_differ({"a": [{"b": value}]}) is expected
