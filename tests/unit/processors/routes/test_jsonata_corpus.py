"""Tests that expressions give what JSONata itself gives: values, errors and nothings of its own implementation."""

import copy
import json
from pathlib import Path

import pytest

from processors.event.identity import SourceEvent
from processors.event.strict_json import same_json
from processors.routes.jsonata.engines import ENGINES, LEADING
from processors.routes.jsonata.expressions import TIMEOUT_MS, ExpressionError

CASES = Path(__file__).parents[3] / "cases" / "jsonata"
EVENTS = json.loads((CASES / "events.json").read_text())
ROWS = [json.loads(line) for line in (CASES / "expressions.jsonl").read_text().splitlines()]

#: More events and expressions, with the values of npm's jsonata 2.2.2: numbers that are rounded, null as an argument,
#: the context as one, times; for the leading engine alone.
EVENTS |= json.loads((CASES / "more_events.json").read_text())
MORE_ROWS = [json.loads(line) for line in (CASES / "more_expressions.jsonl").read_text().splitlines()]

#: What the leading engine does otherwise, and why that may be.
EXCEPTIONS = {
    "$fromMillis(1764000000000.7)": "fails: a fraction of a millisecond is no time of Genesys",
    '$toMillis("2026-02-30T00:00:00Z")': "fails: there is no such day, JSONata gives another one",
    '$toMillis("2026-11-23T24:00:00Z")': "fails: RFC 3339 has no hour 24",
    '/[0-9]+/("ab12").match': "calls the expression, where JSONata refuses to compile it",
    "topicName ~> /acd/": "fails: the value holds a function, which JSON has no word for",
    '$split(payload.text, "")[6]': "keeps a character whole, where JSONata halves it to what is no text",
    '$join($split("🚀a", ""), "|")': "the same",
    "1 / 0": "fails a little later: an infinity is no number for EventBridge",
    '$formatNumber(1e21, "#,##0")': 'writes the digits, where JSONata writes "1e,+21"',
    '{"n": $count(eventBody.tags), "g": eventBody.tags{"k": 1}, "m": $count(eventBody.tags)}': (
        "counts what came, where JSONata has written a null into the event"
    ),
}

#: More that jsonata-python does otherwise; what it refuses at the start is none of it.
MORE_EXCEPTIONS = {
    '$fromMillis(eventBody.eventTime, "[Z0]", "-0930")',
    "$fromMillis(253402300799999)",
    "$sort([true, false])",
    '$lowercase("İSTANBUL ΑΣ")',
    '$length("\\uD83D\\uDE80")',
}


def found(engine, row):
    """`(what, value)`, and "refused" for what does not compile."""
    event = SourceEvent(copy.deepcopy(EVENTS[row["event"]]), "key", "00000000-0000-5000-8000-000000000000")
    try:
        expression = engine.compile(row["expression"], TIMEOUT_MS)
    except ExpressionError:
        return "refused", None
    try:
        value = expression(event)
    except ExpressionError:
        return "error", None
    assert event.body == EVENTS[row["event"]]
    return "value", value


def is_right(row, kind, value):
    if "error" in row:
        return kind in ("error", "refused")
    return kind == "value" and (value is None if "nothing" in row else same_json(value, row["value"]))


def rounded(value):
    """JSONata writes integers beyond 2^53 as JavaScript does, with zeros for the digits that a double has not."""
    if isinstance(value, dict):
        return {name: rounded(item) for name, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


@pytest.mark.parametrize("group", range(8))
def test_the_leading_engine_gives_what_jsonata_gives(group):
    wrong = {}
    for row in [*ROWS, *MORE_ROWS][group::8]:
        kind, value = found(LEADING, row)
        if not is_right({**row, "value": rounded(row.get("value"))}, kind, rounded(value)):
            wrong[row["expression"]] = (kind, value)
    assert wrong.keys() - EXCEPTIONS.keys() == set(), wrong


def test_every_exception_is_one():
    rows = [row for row in ROWS if row["expression"] in EXCEPTIONS]
    right = [row["expression"] for row in rows if is_right(row, *found(LEADING, row))]
    assert len(rows) == len(EXCEPTIONS)
    assert right == []


def test_jsonata_python_gives_it_or_refuses():
    allowed = EXCEPTIONS.keys() | MORE_EXCEPTIONS
    wrong = {}
    for row in ROWS:
        kind, value = found(ENGINES[1], row)
        if kind != "refused" and not is_right({**row, "value": rounded(row.get("value"))}, kind, rounded(value)):
            wrong[row["expression"]] = (kind, value)
    assert wrong.keys() - allowed == set(), wrong
