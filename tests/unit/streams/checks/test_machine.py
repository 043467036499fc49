"""This module tests what is looked at of the machine that a worker runs on."""

from __future__ import annotations

import socket

import pytest

from settings import load_settings
from streams.checks import machine
from streams.checks.machine import check_clock, check_folder, check_port, check_spans, probe


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_port_that_is_free_is_no_trouble_and_stays_free(host):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    probe(host, port)
    probe(host, port)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_a_port_that_is_taken_is(taken, host):
    with pytest.raises(OSError, match="Address already in use"):
        probe(host, taken)


def test_an_address_of_another_machine_is():
    with pytest.raises(OSError, match="Cannot assign requested address"):
        probe("192.0.2.1", 6066)


def test_a_family_that_this_machine_lacks_does_not_matter():
    known = socket.getaddrinfo("127.0.0.1", 0, type=socket.SOCK_STREAM)
    foreign = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 0))]
    probe("localhost", 0, lambda *_, **__: foreign + known)


def test_a_port_that_is_taken_is_a_finding_with_what_to_do(taken):
    found = check_port("127.0.0.1", taken)
    assert (found.ok, found.name) == (False, "WEB_PORT")
    assert "Address already in use" in found.detail
    assert "another WEB_PORT" in found.fix


def test_a_folder_that_can_be_written_is_left_as_it_was(tmp_path):
    assert check_folder(load_settings(data_dir=tmp_path), tmp_path).ok
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    found = check_folder(load_settings(data_dir=tmp_path / "file"), tmp_path / "file" / "group")
    assert (found.ok, found.name) == (False, "DATA_DIR")
    assert "cannot be written: Not a directory" in found.detail


@pytest.mark.parametrize(
    ("skews", "ok", "words", "fix"),
    [
        ([0.2, -0.4, 0.1], True, "right to the second", ""),
        ([-30.0, -31.0, 900.0], True, "30 s ahead", "NTP"),
        ([400.0], False, "400 s behind: AWS refuses", "NTP"),
    ],
    ids=["right", "told", "refused"],
)
def test_a_clock_that_is_wrong_is_told_and_one_that_aws_refuses_fails(skews, ok, words, fix):
    [found] = check_clock(skews)
    assert found.ok is ok
    assert words in found.detail
    assert fix in found.fix


def test_where_no_clock_was_heard_nothing_is_said():
    assert check_clock([]) == []


def test_spans_need_the_sdk_where_somebody_is_to_receive_them(monkeypatch):
    assert check_spans(load_settings()) == []
    wanted = load_settings(otel_exporter_otlp_endpoint="http://127.0.0.1:4318", trace_sample=0.25)
    (found,) = check_spans(wanted)
    assert (found.ok, found.detail) == (True, "25% of the traces begun here are sampled")
    monkeypatch.setattr(machine, "find_spec", lambda name: None)
    (found,) = check_spans(wanted)
    assert (found.ok, found.fix) == (False, "pip install 'genesys-eventbridge[otel]'")
