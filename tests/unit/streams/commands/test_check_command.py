"""This module tests the command `check` where nothing answers."""

from __future__ import annotations

import orjson
import pytest

from streams.checks.finding import Finding
from streams.commands.check import status


def checks(result):
    return {one["name"]: one for one in orjson.loads(result.stdout)["checks"]}


def test_everything_is_looked_at_although_parts_are_away(invoke):
    result = invoke("check", "--json", AWS_REGION="eu-west-1", AWS_ENDPOINT_URL="http://127.0.0.1:1")

    assert result.exit_code == 1
    told = checks(result)
    assert told["settings"]["status"] == told["route interaction"]["status"] == "ok"
    assert told["kafka"]["status"] == told["event bus default"]["status"] == "failed"
    assert told["queue"] == {
        "name": "queue",
        "status": "warning",
        "detail": "none: failures stay in Kafka only",
        "fix": "set DLQ_QUEUE_URL to mirror them",
    }
    assert all(one["fix"] for one in told.values() if one["status"] == "failed")


def test_each_wrong_setting_is_a_row(invoke):
    result = invoke("check", "--json", WEB_PORT="x", WORKER_ROLES="baker", MAX_RETRIES="-1")

    assert result.exit_code == 1
    rows = [one["detail"] for one in orjson.loads(result.stdout)["checks"] if one["name"] == "settings"]
    assert sorted(row.partition(":")[0] for row in rows) == ["MAX_RETRIES", "WEB_PORT", "WORKER_ROLES"]


def test_a_missing_genesys_client_names_the_settings(invoke):
    result = invoke("check", "--json", GENESYS_SOURCE="stream", AWS_REGION="eu-west-1")

    row = checks(result)["genesys"]
    assert row["detail"] == "GENESYS_CLIENT_ID and GENESYS_CLIENT_SECRET not set"
    assert row["fix"].startswith("create an OAuth client")


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"ROUTES_DIR": "/nonexistent"}, "routes"),
        ({"GENESYS_SOURCE": "file:/nonexistent"}, "source file"),
        ({"AWS_REGION": ""}, "event bus"),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "kafka"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_whatever_failed_has_something_to_do(invoke, settings, name):
    given = {"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:1", **settings}
    told = checks(invoke("check", "--json", **given))

    assert told[name]["status"] == "failed"
    assert [one for one in told.values() if one["status"] == "failed" and not one["fix"]] == []


def test_a_wrong_route_is_its_own_row(invoke, interaction_routes):
    example = {"event": {"payload": {}}, "expect": "filtered"}
    (interaction_routes / "everything" / "examples" / "wrong.json").write_bytes(orjson.dumps(example))

    result = invoke("check", ROUTES_DIR=str(interaction_routes))

    assert result.exit_code == 1
    assert "example wrong does not hold" in result.stdout


@pytest.mark.parametrize(
    ("finding", "expected"),
    [
        (Finding("a", True, ""), "ok"),
        (Finding("a", True, "", "do it"), "warning"),
        (Finding("a", False, "", "do it"), "failed"),
    ],
)
def test_something_to_do_without_a_failure_is_a_warning(finding, expected):
    assert status(finding) == expected
