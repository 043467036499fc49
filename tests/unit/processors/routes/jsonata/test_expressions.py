"""Tests of the JSONata engines: bounds, our two functions, and that both give the same."""

import uuid

import pytest

from processors.event.errors import RouteError
from processors.event.identity import identify
from processors.routes.jsonata.engines import ENGINES, LEADING
from processors.routes.jsonata.expressions import TIMEOUT_MS, ExpressionError, as_predicate, compile_text
from processors.routes.jsonata.jsonatapy_engine import _may_give_function

EVENT = identify({"id": "i", "payload": {"priority": "high", "list": [1, 2.5, None], "text": "\N{GRINNING FACE}"}})

both = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)


def test_jsonatapy_leads_and_both_are_installed_where_this_is_tested():
    assert [engine.name for engine in ENGINES] == ["jsonatapy", "jsonata-python"]
    assert LEADING is ENGINES[0]


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
    assert engine.compile(text, TIMEOUT_MS)(EVENT) == expected


@both
def test_event_id_is_the_event_s_own_at_every_call(engine):
    expression = engine.compile("$eventId()", TIMEOUT_MS)
    other = identify({"id": "other"})
    assert [expression(EVENT), expression(other), expression(EVENT)] == [
        EVENT.event_id,
        other.event_id,
        EVENT.event_id,
    ]


@both
def test_uuids_are_new_at_every_call(engine):
    expression = engine.compile("$uuidv4()", TIMEOUT_MS)
    first, second = expression(EVENT), expression(EVENT)
    assert first != second
    assert uuid.UUID(first).version == 4


@both
def test_a_text_may_end_with_a_comment(engine):
    assert engine.compile("1 + 1 /* two */", TIMEOUT_MS)(EVENT) == 2


@both
@pytest.mark.parametrize("text", ["{", "", "a b", "2**3", "$f(", '"open', "1 /* open"])
def test_what_does_not_compile_names_its_file(engine, text):
    with pytest.raises(RouteError, match=r"calls/mapping\.jsonata(:1:\d+)?: the JSONata does not compile"):
        compile_text(text, engine, "calls/mapping.jsonata")


@both
@pytest.mark.parametrize(
    "text",
    ["$nofunction()", "-payload", '$number("x")', "$sum(payload.priority)", "$error('x')", "[1..20000000]"],
)
def test_an_error_while_running_is_an_expression_error(engine, text):
    with pytest.raises(ExpressionError) as caught:
        engine.compile(text, TIMEOUT_MS)(EVENT)
    assert len(str(caught.value)) <= 500


@both
@pytest.mark.parametrize("text", ["($f := function($n){1 + $f($n + 1)}; $f(1))"])
def test_a_run_without_end_is_ended(engine, text):
    with pytest.raises(ExpressionError) as caught:
        engine.compile(text, TIMEOUT_MS)(EVENT)
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
    assert engine.compile(as_predicate(text), TIMEOUT_MS)(EVENT) is expected


def test_what_does_not_compile_names_line_and_column_and_shows_the_line():
    text = "/* a mapping */\n" * 120 + '{\n  "a": 1,\n  "b" 2\n}'
    with pytest.raises(RouteError, match=r'^calls/mapping\.jsonata:123:7: .*`"b" 2`$'):
        compile_text(text, LEADING, "calls/mapping.jsonata")


@pytest.mark.parametrize("text", ["", " ", "/* nothing */"])
def test_an_empty_text_is_refused_with_the_remedy(text):
    with pytest.raises(RouteError, match="it is empty; a filter that takes every event is `true`"):
        compile_text(text, LEADING, "calls/filter.jsonata", wrap=as_predicate)


def test_a_bracket_that_only_the_cast_would_close_does_not_compile():
    with pytest.raises(RouteError):
        compile_text("true) or (false", LEADING, "calls/filter.jsonata", wrap=as_predicate)


@pytest.mark.parametrize("text", ["$match(id, /(?=a)/)", r"$match(id, /(a)\1/)", "false and $match(id, /[/)"])
def test_a_regular_expression_that_would_fail_while_running_is_refused_at_the_start(text):
    with pytest.raises(RouteError, match=r"calls/mapping\.jsonata:1:\d+: .*"):
        compile_text(text, LEADING, "calls/mapping.jsonata")


@both
@pytest.mark.parametrize("text", ['{"a": $sum}', '{"a": function($x){$x}}', '{"a": [1, {"b": $substring(?, 1)}]}'])
def test_a_function_in_the_result_fails_and_is_not_null(engine, text):
    with pytest.raises(ExpressionError, match="function"):
        engine.compile(text, TIMEOUT_MS)(EVENT)


@both
def test_a_null_beside_functions_that_are_called_stays_null(engine):
    text = '($f := function($x){$x}; {"a": $f(null), "b": "", "c": payload.list[2]})'
    assert engine.compile(text, TIMEOUT_MS)(EVENT) == {"a": None, "b": "", "c": None}


@both
@pytest.mark.parametrize(
    "text", ["payload.list{$string($): $}", "empty{k: v}", "$sort(payload.list)", "$append(empty, 1)"]
)
def test_nobody_s_event_changes(engine, text):
    event = identify({"payload": {"list": [2, 1]}, "empty": []})
    engine.compile(text, TIMEOUT_MS)(event)
    assert event.body == {"payload": {"list": [2, 1]}, "empty": []}


@pytest.mark.parametrize(
    "text", ['id ?? "x"', 'id ?: "x"', "5.5 % 2", '$formatNumber(1, "0")', '$formatInteger(1, "w")']
)
def test_what_jsonata_python_does_otherwise_is_refused_on_it_and_runs_on_the_other(text):
    leading, other = ENGINES
    leading.compile(text, TIMEOUT_MS)(EVENT)
    with pytest.raises(RouteError, match=r"jsonata-python's .* install jsonatapy"):
        compile_text(text, other, "calls/mapping.jsonata")


def test_the_parent_operator_is_no_remainder():
    event = identify({"a": {"id": 1, "b": [{"c": 2}]}})
    assert ENGINES[1].compile("a.b.{'of': %.id, 'c': c}", TIMEOUT_MS)(event) == {"of": 1, "c": 2}


@pytest.mark.parametrize(
    ("text", "may"),
    [
        ("$map(a, function($v) { $v })", False),
        ("$sift(a, $boolean)", False),
        ('$replace(a, /x/, "")', False),
        ("$now()", False),
        ("$map(a, [1, function() { 1 }])", True),
        ("$map(a, function($v) { function() { 1 } })", True),
        ("$map(function() { 1 }, function($v) { $v })", True),
        ("$append(a, $string)", True),
        ("($map := function($a, $f) { $f }; $map(1, $string))", True),
        ("$reduce([], $max, $string)", True),
        ("$substring(?, 1)", True),
        ("a ~> /x/", True),
    ],
)
def test_only_what_can_end_in_the_result_counts_as_a_function(text, may):
    assert _may_give_function(text) is may


@pytest.mark.parametrize("text", ['$fromMillis(0, "[fN]")', '$toMillis("2026", "[‰%]]éX")'])
def test_a_bug_of_the_engine_is_an_expression_error(text):
    expression = LEADING.compile(text, TIMEOUT_MS)
    with pytest.raises(ExpressionError, match="a bug of jsonatapy"):
        expression(EVENT)


@pytest.mark.parametrize(
    "text", ["payload.* / 2", "payload.list[0]/2/1", "a.% / 2", "(**) / 2", "$sum(payload.list[[0..1]]) /2"]
)
def test_what_divides_is_no_regular_expression(text):
    LEADING.compile(text, TIMEOUT_MS)


@pytest.mark.parametrize("text", ["$number(1, 2)", "1 ~> $trim(2)", "$power(1, 2, 3)", "$random(1)"])
def test_more_arguments_than_a_function_has_are_refused_at_the_start(text):
    with pytest.raises(ExpressionError, match=r"T0410: \$\w+ has \d arguments at most"):
        LEADING.compile(text, TIMEOUT_MS)


def test_a_function_of_the_text_s_own_has_arguments_of_its_own():
    text = "($round := function($a, $b, $c) { $a & $b & $c }; $round(1, 2, 3))"
    assert LEADING.compile(text, TIMEOUT_MS)(EVENT) == "123"


def test_random_numbers_differ():
    first, second = LEADING.compile("[$random(), $random()]", TIMEOUT_MS)(EVENT)
    assert 0 <= first < 1
    assert first != second
