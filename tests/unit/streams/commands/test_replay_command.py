"""This module tests what `replay` and `redrive` refuse before they ask Kafka anything."""

from __future__ import annotations

from pathlib import Path

import pytest

SCHEMAS = Path(__file__).parents[4] / "schemas"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "choose --dry-run"),
        (["--since", "yesterday", "--dry-run"], "is no moment"),
        (["--since", "1h", "--until", "2h", "--dry-run"], "--until must be later"),
        (["--from", "failures", "--into", "raw"], "redrive takes failures back"),
        (["--from", "validated", "--into", "raw"], "cannot take records"),
        (["--into", "validated"], "cannot take records"),
        (["--from", "metrics", "--into", "metrics"], "cannot take records"),
        (["--from", "validated", "--dry-run"], "holds something else"),
        (["--route", "nothing", "--dry-run"], "there is no route nothing"),
        (["--routes-dir", ".", "--into", "raw"], "give --dry-run with it"),
        (["--from-offset", "3:", "--dry-run"], "is no offset"),
        (["--dry-run", "--fail-on", "changed"], "give --routes-dir"),
        (["--dry-run", "--examples", "0"], "give --routes-dir"),
        (["--dry-run", "--routes-dir", ".", "--html", "nowhere/a.html"], "is not there or cannot be written"),
        (["--dry-run", "--drop-header", "route"], "a dry run writes nothing"),
        (["--resume"], "there is no unfinished replay"),
        (["--resume", "--dry-run"], "a dry run writes nothing"),
        (["--rate", "0", "--dry-run"], "0.0 is not in the range"),
        (["--rate", "nan", "--dry-run"], "is no number of events"),
        (["--rate", "inf", "--dry-run"], "is no number of events"),
        (["--since", "2999-01-01", "--dry-run"], "--since must be in the past"),
        (["--from-offset", "10", "--to-offset", "10", "--dry-run"], "must be later than --from-offset 10"),
        (["--from-offset", "3:9", "--to-offset", "5", "--dry-run"], "--to-offset 5 must be later"),
        (["--from-offset", "3:9", "--partition", "2", "--dry-run"], "partition 3, and --partition leaves it out"),
        (["--from-offset", "3:9", "--from-offset", "3:8", "--dry-run"], "give each once"),
        (["--into", "genesys.redriven"], "genesys.redriven cannot take records"),
        (["--into", "genesys.actions"], "genesys.actions cannot take records"),
        (["--into", "genesys.eventbridge-totals-changelog"], "cannot take records"),
        (["--from", "genesys.actions", "--into", "raw"], "cannot take records of genesys.actions"),
        (["--dry-run", "--routes-dir", str(SCHEMAS), "--url", "worker-2:6066"], "is no web address"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_replay_refuses_what_cannot_be_meant(invoke, tmp_path, arguments, says):
    result = invoke("replay", *arguments, DATA_DIR=str(tmp_path))

    assert result.exit_code == 2
    assert says in " ".join(result.stderr.split())
    assert result.stdout == ""


@pytest.mark.parametrize("arguments", [("--resume",), ("--into", "raw", "--resume")], ids=" ".join)
def test_a_checkpoint_that_cannot_be_read_is_named_and_nothing_begins_anew(invoke, tmp_path, arguments):
    file = tmp_path / "genesys.eventbridge" / "replays" / "0.json"
    file.parent.mkdir(parents=True)
    file.write_text("{")

    result = invoke("replay", *arguments, DATA_DIR=str(tmp_path))

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"genesys-eventbridge: {file} cannot be read")
    assert len(result.stderr.splitlines()) == 1
    assert file.read_text() == "{"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--from-queue"], "DLQ_QUEUE_URL is not set"),
        (["--from-queue", "--partition", "1"], "a queue has no partitions"),
        (["--stage", "delivery"], "'delivery' is not one of"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_redrive_refuses_what_cannot_be_meant(invoke, arguments, says):
    result = invoke("redrive", *arguments)

    assert result.exit_code == 2
    assert says in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    "arguments",
    [
        ("replay", "--dry-run"),
        ("replay", "--into", "raw"),
        ("redrive",),
        ("failures", "list"),
        ("failures", "show", "e"),
    ],
)
def test_kafka_away_is_one_line(invoke, arguments):
    result = invoke(*arguments)

    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert "no Kafka broker answers at 127.0.0.1:1" in result.stderr


@pytest.mark.parametrize("command", ["replay", "redrive", "failures", "check", "simulate", "routes"])
def test_help_shows_examples_and_exit_codes(invoke, command):
    result = invoke(command, "--help")

    assert result.exit_code == 0
    assert "Examples:" in result.stdout
    assert "Exit codes:" in result.stdout
