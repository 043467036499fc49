"""Tests of logging: one JSON object a line, for us and for the libraries, which keep to warnings."""

import json
import logging
import warnings

import pytest
import structlog

from settings import load_settings
from streams.worker.logs import QUIET, TELLING, set_up_logging


@pytest.fixture(autouse=True)
def restored():
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    levels = {name: logging.getLogger(name).level for name in (*QUIET, *TELLING)}
    configured = structlog.get_config()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    structlog.configure(**configured)


def lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_our_records_are_json(capsys):
    set_up_logging(load_settings(log_format="json"))
    structlog.get_logger("streams.worker.logs").warning("trouble", part="kafka")
    (record,) = lines(capsys)
    assert {name: record[name] for name in ("event", "part", "level", "logger")} == {
        "event": "trouble", "part": "kafka", "level": "warning", "logger": "streams.worker.logs",
    }  # fmt: skip
    assert record["timestamp"].endswith("Z")


def test_so_are_those_of_libraries_from_warning_on(capsys):
    set_up_logging(load_settings(log_format="json"))
    logging.getLogger("aiokafka.client").info("nobody reads this")
    logging.getLogger("aiokafka.client").warning("no %s", "broker")
    assert [record["event"] for record in lines(capsys)] == ["no broker"]


def test_an_error_is_logged_with_its_trace_in_one_line(capsys):
    set_up_logging(load_settings(log_format="json"))
    try:
        raise ValueError("bug")
    except ValueError as error:
        structlog.get_logger("streams.worker.logs").critical("ending", exc_info=error)
    (record,) = lines(capsys)
    assert "ValueError: bug" in record["exception"]


def test_debug_shows_the_libraries(capsys):
    set_up_logging(load_settings(log_format="json", log_level="debug"))
    logging.getLogger("aiokafka.client").setLevel(logging.NOTSET)
    logging.getLogger("aiokafka").setLevel(logging.NOTSET)
    logging.getLogger("aiokafka.client").debug("seen")
    assert "seen" in [record["event"] for record in lines(capsys)]


def test_a_terminal_reads_text(capsys):
    with warnings.catch_warnings():
        set_up_logging(load_settings(log_format="console"))
        structlog.get_logger("streams.worker.logs").warning("trouble", part="kafka")
    printed = capsys.readouterr().err
    assert "trouble" in printed
    assert not printed.startswith("{")


@pytest.mark.parametrize(
    "name", ["aiokafka.conn", "aiokafka.producer.producer", "botocore.auth", "websockets.client", "httpcore.http11"]
)
def test_debug_shows_nothing_that_libraries_send(capsys, name):
    for logger in (*QUIET, *TELLING):
        logging.getLogger(logger).setLevel(logging.NOTSET)
    set_up_logging(load_settings(log_format="json", log_level="debug"))
    logging.getLogger(name).debug("Authorization: Bearer secret")
    assert lines(capsys) == []


def test_a_trace_for_a_terminal_shows_no_local_variables(capsys):
    set_up_logging(load_settings(log_format="console"))
    held = "-".join(("a", "local", "secret"))
    try:
        raise ValueError(f"bug of {len(held)}")
    except ValueError as error:
        structlog.get_logger("streams.worker.logs").critical("ending", exc_info=error)
    printed = capsys.readouterr().err
    assert "bug of 14" in printed
    assert held not in printed
