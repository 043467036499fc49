"""This module holds PutMetricData of the emulator to its limits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

MANY_DIMENSIONS = [{"Name": f"d{number}", "Value": "v"} for number in range(31)]


def datum(**fields):
    return {"MetricName": "Published", **(fields or {"Value": 1.0})}


async def test_values_are_kept(aws, cloudwatch):
    await cloudwatch.put_metric_data(
        Namespace="Pipeline",
        MetricData=[
            datum(Values=[1.0, 2.5], Counts=[3.0, 4.0], Unit="Count", StorageResolution=1),
            datum(Value=7, Dimensions=[{"Name": "Route", "Value": "interaction"}]),
        ],
    )
    first, second = aws.state.metrics.points
    assert (first.values, first.counts, first.unit, first.resolution) == ((1.0, 2.5), (3.0, 4.0), "Count", 1)
    assert (second.values, second.dimensions) == ((7.0,), {"Route": "interaction"})


async def test_the_largest_request_is_taken_compressed(aws, cloudwatch):
    dimensions = [{"Name": f"d{number}", "Value": "v"} for number in range(30)]
    full = datum(Values=[float(number) for number in range(150)], Dimensions=dimensions)
    await cloudwatch.put_metric_data(Namespace="Pipeline", MetricData=[full, *[datum()] * 999])
    assert len(aws.state.metrics.points) == 1000


@pytest.mark.parametrize(
    ("namespace", "data", "code"),
    [
        ("AWS/Events", [datum()], "InvalidParameterValue"),
        (":mine", [datum()], "InvalidParameterValue"),
        ("Pipeline", [], "MissingParameter"),
        ("Pipeline", [datum()] * 1001, "InvalidParameterValue"),
        ("Pipeline", [datum(Unit="Count")], "MissingParameter"),
        ("Pipeline", [datum(Value=float("nan"))], "InvalidParameterValue"),
        ("Pipeline", [datum(Value=float("inf"))], "InvalidParameterValue"),
        ("Pipeline", [datum(Value=2.0**361)], "InvalidParameterValue"),
        ("Pipeline", [datum(Values=[1.0] * 151)], "InvalidParameterValue"),
        ("Pipeline", [datum(Values=[1.0, 2.0], Counts=[1.0])], "InvalidParameterValue"),
        ("Pipeline", [datum(Value=1, Values=[1.0])], "InvalidParameterCombination"),
        ("Pipeline", [datum(Value=1, Unit="Bananas")], "InvalidParameterValue"),
        (
            "Pipeline",
            [datum(Value=1, Dimensions=MANY_DIMENSIONS)],
            "InvalidParameterValue",
        ),
        ("Pipeline", [datum(Value=1, Dimensions=[{"Name": "a", "Value": "ü"}])], "InvalidParameterValue"),
        ("Pipeline", [datum(Value=1, Dimensions=[{"Name": ":a", "Value": "b"}])], "InvalidParameterValue"),
        ("Pipeline", [datum(Value=1, StorageResolution=5)], "InvalidParameterValue"),
    ],
)
async def test_one_bad_datum_refuses_the_request(aws, cloudwatch, namespace, data, code):
    with pytest.raises(ClientError) as caught:
        await cloudwatch.put_metric_data(Namespace=namespace, MetricData=[*data[:1], *data])
    assert caught.value.response["Error"]["Code"] == code
    assert aws.state.metrics.points == []


@pytest.mark.parametrize(
    ("age", "taken"),
    [
        (timedelta(days=14), True),
        (timedelta(days=14, seconds=1), False),
        (timedelta(hours=-2), True),
        (timedelta(hours=-2, seconds=-1), False),
    ],
)
async def test_timestamps_reach_two_weeks_back_and_two_hours_ahead(aws, cloudwatch, clock, age, taken):
    moment = datetime.fromtimestamp(clock.now, UTC) - age
    put = cloudwatch.put_metric_data(Namespace="Pipeline", MetricData=[datum(Value=1, Timestamp=moment)])
    if taken:
        await put
        assert aws.state.metrics.points[0].timestamp == moment.timestamp()
    else:
        with pytest.raises(cloudwatch.exceptions.InvalidParameterValueException):
            await put
