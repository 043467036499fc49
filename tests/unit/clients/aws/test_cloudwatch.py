"""Tests of the metrics for CloudWatch: names, units, and latencies that keep their percentiles."""

from botocore.exceptions import EndpointConnectionError

from clients.aws.answers import NoAnswerError
from clients.aws.cloudwatch import METRICS, metric_data, put_metrics
from processors.metrics.counts import BUCKETS_MS, Counts, empty


def sums():
    counts = Counts()
    counts.add("ingested", 5)
    counts.add("published", 3)
    counts.fail("validate", "E")
    for latency in (1, 5, 48, 10**6):
        counts.latency(latency)
    return counts.drain()


PIPELINE = [{"Name": "Pipeline", "Value": "genesys.eventbridge"}]


def test_what_was_counted_and_what_is_now_under_the_pipeline_s_name():
    found = metric_data(sums(), "genesys.eventbridge", {"LagSeconds": 12.5})
    assert all(one.pop("Dimensions") == PIPELINE for one in found)
    assert found == [
        {"MetricName": "EventsIngested", "Unit": "Count", "Value": 5.0},
        {"MetricName": "EventsPublished", "Unit": "Count", "Value": 3.0},
        {"MetricName": "EventsFailed", "Unit": "Count", "Value": 1.0},
        {"MetricName": "EventsExpired", "Unit": "Count", "Value": 0.0},
        {"MetricName": "LagSeconds", "Unit": "Seconds", "Value": 12.5},
        {
            "MetricName": "ProcessingLatency",
            "Unit": "Milliseconds",
            "Values": [5.0, 50.0, 2.0 * BUCKETS_MS[-1]],
            "Counts": [2.0, 1.0, 1.0],
        },
    ]


def test_nothing_counted_is_zeros_and_no_latency_no_data_point():
    found = metric_data(empty(), "p")
    assert {one["MetricName"]: one["Value"] for one in found} == dict.fromkeys(METRICS, 0.0)


async def test_one_request(client):
    client.answers = [{}]
    assert await put_metrics(client, "GenesysEventPipeline", metric_data(sums(), "p")) is None
    assert client.calls == [
        ("put_metric_data", {"Namespace": "GenesysEventPipeline", "MetricData": metric_data(sums(), "p")})
    ]


async def test_the_reason_when_cloudwatch_takes_nothing(client, refusal):
    client.answers = [
        refusal("Throttling"),
        EndpointConnectionError(endpoint_url="x"),
        NoAnswerError("somebody else's page"),
    ]
    reasons = [await put_metrics(client, "n", []) for _ in range(3)]
    assert reasons == [
        "AWS answered Throttling: no",
        'EndpointConnectionError: Could not connect to the endpoint URL: "x"',
        "somebody else's page",
    ]
