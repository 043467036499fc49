"""Tests of what entries for a custom bus have: what its ARN tells, groups, and ids that a redrive does not share."""

import pytest

from processors.delivery.custom_bus import MAX_ID, custom_bus, system_metadata

ARN = "arn:aws:events:eu-central-1:123456789012:event-busv2/orders/1c168adb00d208e42f9331452"


def test_the_arn_tells_where_the_bus_is():
    bus = custom_bus(ARN)
    assert (bus.region, bus.account) == ("eu-central-1", "123456789012")
    assert bus.endpoint == "https://123456789012.eventsv2.eu-central-1.amazonaws.com"
    assert custom_bus(ARN.replace("arn:aws:", "arn:aws-cn:")).endpoint.endswith(".amazonaws.com.cn")


@pytest.mark.parametrize(
    "name", ["default", "arn:aws:events:eu-central-1:123456789012:event-bus/orders", "event-busv2/orders", ""]
)
def test_every_other_bus_is_a_classic_one(name):
    assert custom_bus(name) is None


def test_the_group_is_the_interaction_and_the_id_says_event_route_and_run():
    assert system_metadata("i-1", "e-1", "interaction", None) == {
        "EventGroupId": "i-1",
        "DeduplicationId": "e-1/interaction",
    }
    ids = {system_metadata("i-1", "e-1", route, run)["DeduplicationId"] for route in "ab" for run in (None, "r1", "r2")}
    assert len(ids) == 6


def test_what_is_missing_or_blank_is_left_out():
    assert system_metadata(" ", None, "route", "run") == {}


def test_what_is_too_long_is_hashed_and_stays_distinct():
    long = [system_metadata("k" * 200 + end, "e" * 200 + end, "r", None) for end in "ab"]
    for one in long:
        assert all(0 < len(value) <= MAX_ID for value in one.values())
    assert long[0] != long[1]
