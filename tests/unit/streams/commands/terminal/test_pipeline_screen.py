"""Tests of the screen: it fits 80 columns whatever the numbers, and says what is wrong."""

import io

import pytest
from rich.console import Console

from streams.commands.terminal.pipeline_screen import Rates, draw, span, waiting

LAW = {"published": 9_876_543, "filtered": 1_234_567, "failed": 234_567, "repeated": 12_345, "inFlight": 1_234}


def live(**changes):
    report = {"raw": sum(LAW.values()), **LAW, "balanced": True, "missing": 0, "sentAgain": 3, "successRate": 97.2}
    report |= {"failedBy": {"validate/SchemaViolation": 7}, "failures": 9, "ingested": 5, "validated": 4}
    row = {"partition": 0, "lag": 12, "lagSeconds": 75.0, "secondsSinceCommit": 0.2}
    worker = {"name": "http://a-worker-with-a-very-long-name.eventbridge.svc.cluster.local:6066", "state": "running",
              "troubles": {}, "paused": False, "pausedStages": [], "partitions": {"raw": [0, 1]}}  # fmt: skip
    return {
        "report": report | changes.pop("report", {}),
        "lag": {"partitions": [{**row, "topic": f"genesys.{name}"} for name in ("raw", "validated", "failures")]},
        "status": {"works": True, "reasons": [], "workers": [worker] * 9} | changes.pop("status", {}),
        "minutes": {"minutes": [{"hole": False, "p50Ms": 84.3, "p99Ms": "> 60 s"}, {"hole": True}]},
    }


def drawn(renderable, width=80):
    text = io.StringIO()
    Console(file=text, width=width, force_terminal=False).print(renderable)
    lines = text.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    return "\n".join(line.rstrip() for line in lines)


FAILURE = {"at": "2026-11-25T10:11:12.345Z", "stage": "validate", "error": "SchemaViolation", "route": "interaction",
           "message": "breaks its schema: " + "detail.priority " * 20}  # fmt: skip


def test_all_of_it_fits_80_columns():
    text = drawn(draw(live(), {"published": 1234.5}, [FAILURE] * 9, ["lost 0", "a foot " * 30]))
    for part in ("The pipeline works", "9,876,543", "✓ balanced", "validated → sink", "1,234.5", "1 min", "9 workers",
                 "10:11:12", "p50 84 ms, p99 > 60 s", "97.2 %", "sent again 3", "lost 0"):  # fmt: skip
        assert part in text
    assert text.count("SchemaViolation") == 5


@pytest.mark.parametrize(
    ("report", "says"),
    [({"missing": 7, "balanced": False}, "✗ 7 missing"), ({"balanced": False, "missing": 0}, "✗ more ended than came"),
     ({"expired": 5}, "+ expired")],
)  # fmt: skip
def test_a_ledger_that_does_not_balance_says_by_how_much(report, says):
    assert says in drawn(draw(live(report=report), {}, [], []))


def test_reasons_come_first_and_are_bounded():
    text = drawn(draw(live(status={"works": False, "reasons": [f"reason {n}" for n in range(9)]}), {}, None, []))
    assert text.splitlines()[0] == "✗ reason 0"
    assert "… and 6 more reasons" in text
    assert "validate/SchemaViolation" in text


def test_a_worker_in_trouble_says_for_how_long():
    found = live()
    found["status"]["workers"][0] = {**found["status"]["workers"][0], "name": "http://a", "pausedStages": ["sink"],
                                     "troubles": {"kafka": {"reason": "x", "seconds": 7_500}}}  # fmt: skip
    assert "kafka, paused" in (text := drawn(draw(found, {}, [], [])))
    assert "2 h" in text
    assert "nothing failed lately" in text


def test_rates_are_of_the_last_looks():
    rates = Rates(kept=2)
    assert rates.measured(1.0, {"published": 5}) == {}
    assert rates.measured(2.0, {"published": 15})["published"] == 10.0
    assert rates.measured(4.0, {"published": 15, "validated": 6, "filtered": 4}) == {
        "ingested": 0.0, "published": 0.0, "failures": 0.0, "processed": 5.0,
    }  # fmt: skip


def test_while_no_worker_answers_it_says_so():
    assert (
        drawn(waiting("no worker answers at http://a", ["Ctrl-C ends"])) == "no worker answers at http://a\nCtrl-C ends"
    )


def test_spans():
    assert [span(seconds) for seconds in (0.2, 59.9, 61, 7_199, 90_000)] == [
        "0.2 s",
        "59.9 s",
        "1 min",
        "120 min",
        "25 h",
    ]
