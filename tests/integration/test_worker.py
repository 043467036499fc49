"""A whole worker on the embedded broker: bad input, refusals, views, metrics, and starts that must fail."""

from __future__ import annotations

import base64
import signal
from pathlib import Path

import httpx
import orjson
import pytest

from emulators.kafka import EmbeddedKafka
from tests import forked, http
from tests.kafka import ledger
from tests.kafka.pipeline import BUS, Pipeline, Worker, free_ports, wait_until

pytestmark = pytest.mark.integration

GOOD = 200
TOKEN = "a-token-for-the-views"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}

#: Lines that are no events, each with the error it must end with.
BAD_LINES = {
    b"{garbage": "MalformedJSON",
    b'{"id": "\xff\xfe"}': "MalformedJSON",
    b'{"id": "surrogate", "payload": "\\ud800"}': "MalformedJSON",
    b'{"id": "big", "payload": "' + b"x" * 5_000_000 + b'"}': "LineTooLong",
    b"[" * 2_000 + b"]" * 2_000: "NestedTooDeep",
    b'{"id": "number", "payload": 123456789012345678901234567890}': "NumberOutOfRange",
    b'"text"': "NotAnObject",
}

#: Events that are events, but break the schema: each with the paths that must be named.
BAD_EVENTS = {
    "no-priority": ({"priority": None}, ["detail.priority"]),
    "wrong-type": ({"type": 7}, ["detail.type"]),
    "empty": ({"type": "", "priority": "high"}, ["detail.type"]),
    "bad-time": ({"priority": "high"}, ["detail.timestamp", "time"]),
}


def bad_event(name: str) -> dict[str, object]:
    payload = {"type": "voice", "priority": "high", "routing": {"queue": {"name": "Priority \U0001f600"}}}
    payload |= BAD_EVENTS[name][0]
    time = "yesterday" if name == "bad-time" else "2026-11-23T09:00:00Z"
    return {"id": name, "resourceType": "interaction", "createdTime": time, "payload": payload}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("worker")
    lines = [orjson.dumps(ledger.event(number)) for number in range(GOOD)]
    lines += [*BAD_LINES, b"", b"\r", *(orjson.dumps(bad_event(name)) for name in BAD_EVENTS)]
    (folder / "events.jsonl").write_bytes(b"\n".join(lines))
    with EmbeddedKafka() as kafka:
        settings = {
            **kafka.environment,
            "GENESYS_SOURCE": f"file:{folder / 'events.jsonl'}",
            "WEB_TOKEN": TOKEN,
            "REPORT_INTERVAL": "2",
        }
        with Pipeline(kafka.bootstrap_servers, folder, settings) as pipeline:
            yield pipeline


@pytest.fixture(scope="module")
def worker(pipeline: Pipeline) -> Worker:
    return pipeline.start()


@pytest.fixture(scope="module")
def report(worker: Worker) -> dict:
    """The report when every line has come to its end."""
    total = GOOD + len(BAD_LINES) + len(BAD_EVENTS)

    def ended() -> dict | None:
        answer = http.get(f"{worker.url}/api/report/", headers=HEADERS)
        numbers = answer.json() if answer.status_code == 200 else {}
        done = sum(numbers.get(name, 0) for name in ("filtered", "published", "failed"))
        return numbers if done >= total else None

    return wait_until("every line to end", ended)


def test_the_sum_is_exact(report: dict):
    failed = GOOD // 10 + len(BAD_LINES) + len(BAD_EVENTS)
    assert report["ingested"] == GOOD + len(BAD_LINES) + len(BAD_EVENTS)
    assert (report["filtered"], report["published"], report["failed"]) == (
        GOOD * 3 // 10,
        GOOD * 6 // 10,
        failed,
    )


def test_the_ledger_balances_and_nothing_is_in_flight(report: dict, worker: Worker):
    with httpx.Client(base_url=worker.url, headers=HEADERS) as client:

        def settled() -> dict | None:
            found = client.get("/api/report/").json()
            return found if found["inFlight"] == 0 and found["balanced"] else None

        whole = wait_until("the commits", settled)
        ended = sum(whole[name] for name in ("published", "filtered", "failed", "repeated"))
        assert whole["raw"] == whole["ingested"] == ended
        assert (whole["missing"], whole["sentAgain"]) == (0, 0)
        hour = client.get("/api/report/", params={"range": "1h"}).json()
        assert {name: hour[name] for name in ("raw", "published", "balanced")} == {
            name: whole[name] for name in ("raw", "published", "balanced")
        }
        assert client.get("/api/report/", params={"range": "2h/1h"}).json()["raw"] == 0
        for path in ("/api/report/?range=soon", "/api/tables/failed/?from=1h&to=2h", "/api/tables/failed/?format=xml"):
            answer = client.get(path)
            assert (answer.status_code, set(answer.json())) == (400, {"error", "message"})
        lines = client.get("/api/tables/throughput/", params={"format": "csv", "from": "1h"}).text.splitlines()
        assert lines[0].startswith("from,to,")


def test_lag_and_status_tell_of_the_whole_group(report: dict, worker: Worker, pipeline: Pipeline):
    with httpx.Client(base_url=worker.url, headers=HEADERS) as client:

        def caught_up() -> list[dict] | None:
            rows = client.get("/api/lag/").json()["partitions"]
            return rows if rows and not sum(row["lag"] for row in rows) else None

        rows = wait_until("no lag", caught_up)
        ends = {name: sum(row["end"] for row in rows if row["topic"] == f"{pipeline.prefix}{name}")
                for name in ("raw", "validated", "failures")}  # fmt: skip
        assert ends == {"raw": report["ingested"] - len(BAD_LINES), "validated": report["published"],
                        "failures": report["failed"]}  # fmt: skip
        status = wait_until(
            "all to be healthy, and the worker to have announced itself",
            lambda: found if (found := client.get("/api/status/").json())["works"] and found["workers"] else None,
        )
        [one] = status["workers"]
        assert (one["name"], one["state"], one["troubles"]) == (worker.url, "running", {})
        raw = f"{pipeline.prefix}raw"
        assert set(one["partitions"][raw]) == {row["partition"] for row in rows if row["topic"] == raw}
        gauge = f'genesys_eventbridge_lag_events{{partition="0",topic="{raw}"}} 0.0'
        assert gauge in client.get("/metrics").text


def test_each_bad_line_is_a_failure_record_that_keeps_it(report: dict, pipeline: Pipeline):
    records = [orjson.loads(value) for value in pipeline.read("failures")]
    source = [record for record in records if record["stage"] == "source"]
    assert sorted(record["error"] for record in source) == sorted(BAD_LINES.values())
    kept = {base64.b64decode(record["originalEvent"]) for record in source if record.get("encoding") == "base64"}
    assert b"{garbage" in kept
    assert b'{"id": "\xff\xfe"}' in kept


def test_each_broken_rule_is_named(report: dict, pipeline: Pipeline):
    records = {record["originalEvent"]["id"]: record for value in pipeline.read("failures")
               if (record := orjson.loads(value))["stage"] == "validate"}  # fmt: skip
    for name, (_, paths) in BAD_EVENTS.items():
        record = records[name]
        assert sorted(detail["path"] for detail in record["details"]) == paths, record
        assert record["originalEvent"] == bad_event(name)
        assert record["origin"]["topic"] == f"{pipeline.prefix}raw"
        assert record["route"] == "interaction"


def test_failures_are_mirrored_to_the_queue(report: dict, pipeline: Pipeline):
    values = sorted(value.decode() for value in pipeline.read("failures"))
    wait_until("the mirror", lambda: sorted(pipeline.queue()) == values)


def test_raw_keeps_the_bytes_and_the_headers(report: dict, pipeline: Pipeline):
    values = set(pipeline.read("raw"))
    assert orjson.dumps(ledger.event(0)) in values
    assert len(values) == GOOD + len(BAD_EVENTS)
    for record in pipeline.records("raw"):
        named = {name: value.decode() for name, value in record.headers()}
        assert named["received-at"].isdigit()
        assert named["traceparent"][3:35] == named["event-id"].replace("-", "")


def test_entries_carry_every_field(report: dict, pipeline: Pipeline):
    entry = next(
        one for one in pipeline.inspect("events")["events"] if ledger.number_of(one["detail"]["timestamp"]) == 0
    )
    assert entry["bus"].endswith(BUS)
    assert (entry["source"], entry["detailType"]) == ("genesys.cloud", "interaction.event")
    assert entry["resources"] == [f"/genesys/interactions/{ledger.interaction(0)}"]
    assert entry["detail"]["interactionId"] == ledger.interaction(0)
    trace = entry["detail"]["eventId"].replace("-", "")
    assert entry["traceHeader"] == f"Root=1-{trace[:8]}-{trace[8:]};Parent={trace[16:]}"


def test_the_report_line_and_cloudwatch_tell_the_same(report: dict, pipeline: Pipeline, worker: Worker):
    numbers = (f"{name.title()}: {report[name]}" for name in ("ingested", "published", "failed"))
    line = f"[Pipeline Report] {' | '.join(numbers)} | Success Rate: "
    wait_until("the report line", lambda: line in worker.log.read_text("utf-8"))

    def summed() -> dict[str, float]:
        sums: dict[str, float] = {}
        for point in pipeline.inspect("metrics")["metrics"]:
            sums[point["name"]] = sums.get(point["name"], 0) + sum(point["values"])
        return sums

    wanted = {
        "EventsIngested": report["ingested"],
        "EventsPublished": report["published"],
        "EventsFailed": report["failed"],
    }
    wait_until("CloudWatch", lambda: {name: summed().get(name) for name in wanted} == wanted)
    assert "ProcessingLatency" in summed()


def test_views_ask_for_the_token_and_probes_do_not(worker: Worker):
    for path in ("/api/report/", "/api/tables/", "/metrics", "/simulate"):
        assert http.get(f"{worker.url}{path}").status_code == 401
    for path in ("/health/live", "/health/ready"):
        assert http.get(f"{worker.url}{path}").status_code == 200


def test_every_table_answers_and_an_unknown_one_is_named(report: dict, worker: Worker):
    with httpx.Client(base_url=worker.url, headers=HEADERS) as client:
        tables = client.get("/api/tables/").json()
        names = {"throughput", "failed", "latency", "totals", "gaps", "routes", "history"}
        assert {table["name"] for table in tables} == names
        for table in tables:
            assert client.get(table["url"]).json()["table"] == table["name"]
        minutes = client.get("/api/tables/throughput/").json()["rows"]
        assert sum(minute.get("published", 0) for minute in minutes) == report["published"]
        assert client.get("/api/tables/nothing/").status_code == 404
        assert client.get("/api/tables/throughput/", params={"limit": "x"}).status_code == 400
        assert (
            f'genesys_eventbridge_events_total{{outcome="published"}} {report["published"]}.0'
            in client.get("/metrics").text
        )


@pytest.mark.parametrize("path", ["/simulate", "/simulate/"])
def test_simulate_publishes_nothing(report: dict, pipeline: Pipeline, worker: Worker, path: str):
    before = pipeline.on_bus()
    with httpx.Client(base_url=worker.url, headers=HEADERS) as client:
        good = client.post(path, json={"interactionId": "i-1", "type": "chat", "createdTime": "2026-11-23T10:00:00Z"})
        assert good.status_code == 200
        body = good.json()
        assert body["status"] == "simulated"
        assert body["originalEvent"]["id"] == "i-1"
        assert body["transformedEvent"]["detail"]["type"] == "chat"
        assert {"latencyMs", "report"} <= set(body)
        bad = client.post(path, json={"createdTime": "yesterday"})
        assert bad.status_code == 400
        assert bad.json()["status"] == "validation_failed"
        assert [detail["path"] for detail in bad.json()["details"]] == ["detail.timestamp", "time"]
        for wrong in (b"[]", b"{", b'{"type": 5}', b'{"colour": "red"}', b""):
            assert client.post(path, content=wrong).status_code == 422
    assert pipeline.on_bus() == before


def test_a_refused_entry_is_tried_max_retries_times_and_then_reported(tmp_path: Path):
    with EmbeddedKafka() as kafka:
        settings = {**kafka.environment, "MAX_RETRIES": "1"}
        fault = {"entries": [{"code": "ThrottlingException", "contains": ledger.event(0)["createdTime"]},
                             {"code": "MalformedDetail", "contains": ledger.event(1)["createdTime"]}]}  # fmt: skip
        with Pipeline(kafka.bootstrap_servers, tmp_path, settings) as pipeline:
            pipeline.aws_faults(fault)
            pipeline.start()
            pipeline.feed(range(10))
            failed = wait_until("the refused ones", lambda: _published_failures(pipeline))
    throttled, malformed = failed["ThrottlingException"], failed["MalformedDetail"]
    assert (throttled["stage"], throttled["retryAttempt"]) == ("publish", 1)
    assert malformed["retryAttempt"] == 0
    assert throttled["originalEvent"] == ledger.event(0)
    assert throttled["transformedEvent"]["detail"]["interactionId"] == ledger.interaction(0)
    assert throttled["origin"]["topic"].endswith("raw")


def test_a_closed_terminal_ends_a_worker_in_order(tmp_path: Path):
    with EmbeddedKafka() as kafka, Pipeline(kafka.bootstrap_servers, tmp_path, kafka.environment) as pipeline:
        inherited = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup the worker would leave it alone, too
        try:
            worker = pipeline.start()
        finally:
            signal.signal(signal.SIGHUP, inherited)
        wait_until("a worker that is ready", worker.ready)
        worker.signal(signal.SIGHUP)
        assert worker.wait() == 0, worker.tail()


def _published_failures(pipeline: Pipeline) -> dict | None:
    records = [orjson.loads(value) for value in pipeline.read("failures")]
    found = {record["error"]: record for record in records if record["stage"] == "publish"}
    return found if len(found) == 2 else None


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"GENESYS_SOURCE": "stream"}, "GENESYS_CLIENT_ID and GENESYS_CLIENT_SECRET not set"),
        ({"WEB_PORT": "many"}, "WEB_PORT"),
        ({"EVENTBUS_NAME": "nowhere"}, "event bus nowhere: does not exist"),
        ({"DLQ_QUEUE_URL": "{aws}/123456789012/nothing"}, "queue nothing: does not exist"),
        ({"ROUTES_DIR": "/nonexistent"}, "ROUTES_DIR /nonexistent is not a folder"),
        ({"GENESYS_SOURCE": "file:/nonexistent"}, "source file: /nonexistent cannot be read"),
        ({"GENESYS_SOURCE": "file:/"}, "source file: / is a folder"),
        ({"KAFKA_TOPIC_PREFIX": "a b/"}, "KAFKA_TOPIC_PREFIX: String should match pattern"),
        ({"DATA_DIR": "/dev/null/data"}, "DATA_DIR: /dev/null/data cannot be written: Not a directory"),
        ({"WEB_HOST": "192.0.2.1"}, "the web views cannot listen on 192.0.2.1:"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_start_that_must_fail_says_why_in_one_line(pipeline: Pipeline, settings: dict[str, str], words: str):
    settings = {name: value.format(aws=pipeline.aws) for name, value in settings.items()}
    environment = pipeline.environment(GENESYS_SOURCE="none", WEB_PORT=str(free_ports(1)[0])) | settings
    ended = forked.run(["worker"], environment)
    lines = [line for line in ended.err.splitlines() if line.startswith("genesys-eventbridge: ")]
    assert ended.code == 2, ended.err
    assert len(lines) == 1
    assert words in lines[0]
