"""This module tests what a command over a range says at its end, and its exit code."""

from __future__ import annotations

import json

import pytest

from clients.kafka.ranges import MissingRange
from streams.commands.terminal.run_end import end_run

GONE = MissingRange("raw", 0, 0, 1000, expired=True)


@pytest.mark.parametrize(
    ("stopped", "missing", "code"),
    [("stopped", [], 1), ("", [GONE], 3), ("stopped", [GONE], 1)],
    ids=["stopped", "missing", "both"],
)
def test_the_exit_code_says_what_was_not_done(capsys, stopped, missing, code):
    with pytest.raises(SystemExit) as ended:
        end_run({}, print, as_json=True, stopped=stopped, limited=False, resume="go on", missing=missing)

    out, err = capsys.readouterr()
    assert ended.value.code == code
    told = [{"partition": 0, "from": 0, "to": 1000, "count": 1000, "why": "expired"}] if missing else None
    assert json.loads(out).get("missing") == told
    assert ("offsets 0 to 999 (1000) are not there" in err) == bool(missing)


def test_all_that_was_meant_ends_with_0():
    end_run({}, lambda: None, as_json=False, stopped="", limited=True, resume="")
