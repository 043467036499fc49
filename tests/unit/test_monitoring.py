"""What watches the pipeline from outside goes by names that it gives: alerts, dashboard, alarms, runbook and docs."""

import json
import re
from pathlib import Path

import pytest
import yaml
from cfnlint.decode import cfn_yaml

from clients.aws.cloudwatch import GAUGES, METRICS
from processors.delivery.retry import PERMANENT
from processors.metrics.counts import COUNTERS, Counts, empty
from processors.metrics.lag import PartitionLag
from processors.replay.actions import PAUSABLE
from settings import load_settings
from streams.worker.exporter import ENDS, Exporter, Gauges, PutEventsMetrics, prometheus

ROOT = Path(__file__).resolve().parents[2]
RULES = yaml.safe_load((ROOT / "deploy" / "alerts.yaml").read_text("utf-8"))["groups"][0]["rules"]
PANELS = json.loads((ROOT / "deploy" / "grafana.json").read_text("utf-8"))["panels"]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text("utf-8")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text("utf-8")
ALARMS = [
    resource["Properties"]
    for resource in cfn_yaml.loads((ROOT / "deploy" / "cloudformation.yaml").read_text("utf-8"))["Resources"].values()
    if resource["Type"] == "AWS::CloudWatch::Alarm"
]
CODE = "\n".join(
    path.read_text("utf-8")
    for folder in ("streams", "agents")
    for path in (ROOT / folder).rglob("*.py")
    if "demo" not in path.parts
)

#: Parts of health by how the code names them.
PARTS = {
    *re.findall(r'(?:observer|health\.check|trouble)\(\s*"([^"]+)"', CODE),
    *(name for line in re.findall(r'^(?:PART|QUEUE|PARTITIONS|PART, TOPICS) = (.+)$', CODE, re.MULTILINE)
      for name in re.findall(r'"([^"]+)"', line)),
}  # fmt: skip


def exported():
    """Every sample that a worker with something of everything gives: its name, and the names of its labels."""
    counts, requests = Counts(), PutEventsMetrics()
    counts.fail("publish", "E")
    delta = counts.drain() | {"routes": {"interaction/published": 1}}
    requests.ended("bus", 10, 0.1)
    requests.retried("ThrottlingException")
    gauges = Gauges(
        lags=lambda: [PartitionLag("failures", 0, 1, 2, 3, 5, 4)],
        gaps=lambda: [{"state": "open", "start_ms": 1, "end_ms": 2}],
        troubles=lambda: ["kafka"],
        difference=lambda: 3,
        mirrored="failures",
    )
    registry = prometheus(Exporter(lambda: delta, gauges, requests))
    found = {}
    for family in registry.collect():
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


EXPORTED = exported()
QUERIES = {
    **{rule["alert"]: (rule["expr"], json.dumps(rule["annotations"])) for rule in RULES},
    **{
        f"{panel['title']}, {target['refId']}": (target["expr"], target["legendFormat"])
        for panel in PANELS
        for target in panel["targets"]
    },
}


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_asks_for_what_workers_export(name):
    query, words = QUERIES[name]
    asked = set(re.findall(r"(?:genesys_eventbridge|process)_\w+", query))
    assert asked, name
    assert asked <= set(EXPORTED)
    labels = {"job", "instance", "version", *(label for one in asked for label in EXPORTED[one])}
    by = [label for text in re.findall(r"by \(([\w, ]+)\)", query) for label in text.split(", ")]
    by += re.findall(r"{{(?: \$labels\.)?\s*(\w+)\s*}}", words) + re.findall(r"[{,](\w+)=", query)
    assert set(by) <= labels
    outcomes = {one for text in re.findall(r'outcome=~?"([^"]+)"', query) for one in text.split("|")}
    assert outcomes <= (set(ENDS) if "_outcomes_" in query else set(COUNTERS))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_leads_to_its_section_of_the_runbook(rule):
    assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{rule['alert'].lower()}"
    assert f"\n### {rule['alert']}\n" in RUNBOOK
    assert rule["annotations"]["summary"]
    assert rule["labels"]["severity"] in ("critical", "warning", "info")


def test_the_runbook_has_no_section_of_an_alert_that_is_none():
    alerts = {rule["alert"] for rule in RULES}
    assert set(re.findall(r"^### (\w+)$", RUNBOOK, re.MULTILINE)) == alerts


@pytest.mark.parametrize("part", sorted(PARTS))
def test_every_part_of_health_has_a_row_in_the_runbook(part):
    rows = [line for line in RUNBOOK.splitlines() if line.startswith("| `")]
    assert any(f"`{part}`" in row.split("|")[1] for row in rows)


def errors():
    """The errors that failure records are documented and made with."""
    page = (ROOT / "docs" / "failures-and-replay.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if re.match(r"\| `(source|filter|transform|validate|publish)`", line)]
    return {*PERMANENT, *(name for row in rows for name in re.findall(r"`([A-Z]\w+)`", row.split("|")[3]))}


@pytest.mark.parametrize("error", sorted(errors()))
def test_every_error_of_a_failure_has_a_row_in_the_runbook(error):
    assert any(f"`{error}`" in line.split("|")[1] for line in RUNBOOK.splitlines() if line.startswith("| `"))


@pytest.mark.parametrize(
    "name", sorted({re.sub("_(bucket|sum|count)$", "", name) for name in EXPORTED if not name.endswith("_created")})
)
def test_every_metric_is_explained_with_its_labels(name):
    if not name.startswith("genesys_eventbridge"):
        return  # of the process: prometheus_client explains them
    [row] = [line for line in OPERATIONS.splitlines() if line.startswith(f"| `{name}` |")]
    labels = {label for sample, found in EXPORTED.items() if sample.startswith(name) for label in found} - {"le"}
    assert labels <= set(re.findall(r"`(\w+)`", row))


@pytest.mark.parametrize("name", [*METRICS, *GAUGES, "ProcessingLatency"])
def test_every_metric_of_cloudwatch_is_explained(name):
    assert f"`{name}`" in OPERATIONS


def test_alarms_ask_for_metrics_that_workers_send():
    asked = []
    for alarm in ALARMS:
        queries = [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", ()) if "MetricStat" in one] or [alarm]
        asked += [query for query in queries if query["Namespace"] != "AWS/SQS"]
    assert {query["MetricName"] for query in asked} <= {*METRICS, *GAUGES}
    assert all(query["Dimensions"] == [{"Name": "Pipeline", "Value": {"Ref": "PipelineName"}}] for query in asked)
    template = (ROOT / "deploy" / "cloudformation.yaml").read_text("utf-8")
    assert f"Default: {load_settings().group}\n" in template
    for anchor in re.findall(r"runbook\.md#([\w-]+)", template):
        assert anchor in {"by-alarm-of-aws", *(rule["alert"].lower() for rule in RULES)}


@pytest.mark.parametrize("template", ["cloudformation.yaml", "genesys-eventbridge-source.yaml"])
def test_every_alarm_of_aws_leads_to_the_runbook(template):
    """By the section of its name, else by a row of the alarms that Prometheus does not have."""
    found = cfn_yaml.loads((ROOT / "deploy" / template).read_text("utf-8"))["Resources"]
    alarms = {name for name, one in found.items() if one["Type"] == "AWS::CloudWatch::Alarm"}
    rows = {line.split("|")[1].strip() for line in RUNBOOK.splitlines() if line.startswith("| ")}
    assert alarms
    assert alarms <= rows | {rule["alert"] for rule in RULES}


def test_panels_do_not_lie_on_each_other():
    taken = set()
    for panel in PANELS:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_what_eventbridge_refuses_has_failed_on_its_route():
    counts = Counts()
    for end in ("failed", "refused", "refused"):
        counts.fail("publish" if end == "refused" else "validate", "E")
        counts.route("interaction", end)
    counts.fail("source", "MalformedJSON")
    counts.add("published")
    counts.route("interaction", "published")
    registry = prometheus(Exporter(counts.drain, Gauges(bus_of=lambda _: "vip"), PutEventsMetrics()))
    found = {
        (one.labels["outcome"], one.labels["route"], one.labels["bus"]): one.value
        for family in registry.collect()
        for one in family.samples
        if one.name == "genesys_eventbridge_outcomes_total" and one.value
    }
    of_the_route = {("failed", "interaction", "vip"): 3, ("published", "interaction", "vip"): 1}
    assert found == of_the_route | {("failed", "", ""): 1}


@pytest.mark.parametrize("known", [None, 0, -2])
def test_the_ledger_is_told_by_who_has_it(known):
    registry = prometheus(Exporter(empty, Gauges(difference=lambda: known), PutEventsMetrics()))
    assert registry.get_sample_value("genesys_eventbridge_ledger_difference_events") == known


@pytest.mark.parametrize(("oldest_ms", "is_told"), [(None, False), (3, True)])
def test_cloudwatch_is_told_no_age_that_nobody_knows(oldest_ms, is_told):
    gauges = Gauges(lags=lambda: [PartitionLag("raw", 0, 1, 2, oldest_ms, 4)]).in_short()
    assert gauges["LagEvents"] == 1
    assert ("LagSeconds" in gauges) is is_told


def test_every_stage_that_can_be_paused_is_told_paused_or_not():
    registry = prometheus(Exporter(empty, Gauges(), PutEventsMetrics()))
    found = {stage: registry.get_sample_value("genesys_eventbridge_paused", {"stage": stage}) for stage in PAUSABLE}
    assert found == dict.fromkeys(PAUSABLE, 0.0)
