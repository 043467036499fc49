"""This module tests the folder of a route as a zip."""

import io
import tomllib
import zipfile

import pytest

from processors.routes.archive import NAME, expected, packed, toml


def test_a_folder_is_packed_under_its_name_and_the_same_each_time():
    files = {"route.toml": b"x", "examples/one.json": b"{}"}
    assert packed("calls", files) == packed("calls", dict(reversed(files.items())))
    with zipfile.ZipFile(io.BytesIO(packed("calls", files))) as archive:
        assert archive.namelist() == ["calls/examples/one.json", "calls/route.toml"]
        assert archive.read("calls/examples/one.json") == b"{}"


@pytest.mark.parametrize("text", ["plain", 'with "quotes" and \\', "line\nbreak\x7f", "ünïcode"])
def test_the_toml_of_a_new_route_is_read_as_it_was_meant(text):
    read = tomllib.loads(toml(text, "s", None))
    assert read == {"description": text, "source": "s", "schema": {"file": "schema.json"}}


@pytest.mark.parametrize(
    ("found", "expect"),
    [
        ({"outcome": "filtered"}, "filtered"),
        ({"outcome": "failed", "error": "MappingError", "details": []}, {"error": "MappingError"}),
        (
            {"outcome": "failed", "error": "SchemaViolation", "details": [{"path": "time"}]},
            {"error": "SchemaViolation", "details": ["time"]},
        ),
        ({"outcome": "mapped", "transformedEvent": {"id": "i"}}, {"id": "i"}),
    ],
)
def test_an_example_expects_what_came(found, expect):
    assert expected(found) == expect


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "a b", "x" * 65, "ä"])
def test_a_name_is_no_path(name):
    assert not NAME.fullmatch(name)
