"""Tests of the look at routes, where it is not about routes."""

import pytest
from botocore.exceptions import ClientError

from settings import load_settings
from streams.checks import routes


@pytest.mark.parametrize(
    ("code", "fix"),
    [
        ("AccessDeniedException", "allow schemas:DescribeSchema, or name a file in route.toml"),
        ("ResourceNotFoundException", "fix the schema's name in route.toml"),
    ],
)
async def test_what_the_schema_registry_refuses_says_what_to_do(monkeypatch, code, fix):
    async def refused(*_):
        answer = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
        raise ClientError(answer, "DescribeSchema")

    monkeypatch.setattr(routes, "registry_schemas", refused)
    found, [finding] = await routes.check_routes(load_settings())
    assert found is None
    assert finding.fix == fix
