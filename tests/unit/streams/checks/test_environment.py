"""This module tests the look for settings that nobody reads."""

import pytest

from settings import Settings
from streams.checks.environment import check_environment


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("MAX_RETRYS", "write MAX_RETRIES"),
        ("GENESYS_CLIENTID", "write GENESYS_CLIENT_ID"),
        ("EVENTBUS_NAM", "write EVENTBUS_NAME"),
        ("KAFKA_BOOTSTRAP_SERVER", "write KAFKA_BOOTSTRAP_SERVERS"),
        ("WEB_PROT", "write WEB_PORT"),
        ("GENESYS_COLOUR", "remove it, or look for its name in docs/settings.md"),
    ],
)
def test_a_name_that_no_setting_has_is_told_with_the_nearest(name, fix):
    [found] = check_environment({name: "1"})
    assert (found.name, found.ok, found.fix) == (f"setting {name}", True, fix)


@pytest.mark.parametrize(
    "name",
    [
        "PATH",
        "LOG_COLOUR",  # another program's, for all we know
        "KAFKA_OPTS",
        "KAFKA_HEAP_OPTS",
        "AWS_PROFILE",
        "AWS_REGIONS",
        "GENESYS_EVENTBRIDGE_SERVICE_HOST",  # Kubernetes, for a Service of the chart's name
        "GENESYS_EVENTBRIDGE_PORT",
        "GENESYS_EVENTBRIDGE_PORT_6066_TCP_ADDR",
        "GENESYS_EVENTBRIDGE_SERVICE_PORT_WEB",
        "max_retries",
    ],
)
def test_what_is_somebody_elses_is_left_alone(name):
    assert check_environment({name: "1"}) == []


def test_every_setting_is_known():
    assert check_environment({name.upper(): "1" for name in Settings.model_fields}) == []
