"""Tests of the description of the API: every view is in it, with its methods, its parameters and its refusals."""

import importlib
import pkgutil
import re

import pytest

import streams.views
from streams.app import app
from streams.views.openapi import METHODS, api_document


@pytest.fixture(scope="module")
def document():
    for module in pkgutil.walk_packages(streams.views.__path__, "streams.views."):
        importlib.import_module(module.name)
    return api_document({path: type(view) for path, view in app.web.views.items()})


def operations(document):
    return [(path, method, found) for path, one in document["paths"].items() for method, found in one.items()]


def test_every_view_of_the_api_is_described_with_its_methods(document):
    paths = {path for path in app.web.views if path.startswith(("/api/", "/health/", "/simulate", "/metrics"))}
    assert set(document["paths"]) == paths
    assert {"/api/stream/", "/api/pause/{stage}/", "/api/history/", "/api/failures/"} <= paths
    for path, one in document["paths"].items():
        served = {name.lower() for name in app.web.views[path].get_methods()} & set(METHODS)
        assert set(one) == served
        assert served, path


def test_every_operation_says_what_it_is_and_what_it_answers(document):
    for path, method, found in operations(document):
        assert found["summary"], (path, method)
        assert found["responses"]["200"]["description"], (path, method)
        refusals = [one for status, one in found["responses"].items() if status >= "400"]
        assert refusals, (path, method)


def test_parameters_of_the_path_are_declared_and_those_of_the_query_named(document):
    for path, _, found in operations(document):
        declared = [one["name"] for one in found["parameters"] if one["in"] == "path"]
        assert declared == re.findall(r"{(\w+)}", path)
    query = {one["name"] for one in document["paths"]["/api/report/"]["get"]["parameters"]}
    assert query == {"range"}


def test_probes_ask_for_no_token_and_everything_else_may(document):
    assert document["paths"]["/health/ready"]["get"]["security"] == [{}]
    assert "security" not in document["paths"]["/api/report/"]["get"]
    assert {"bearer", "basic"} == set(document["components"]["securitySchemes"])


def test_every_reference_leads_somewhere(document):
    assert set(re.findall(r"'\$ref': '#/components/schemas/(\w+)'", str(document))) == set(
        document["components"]["schemas"]
    )
