"""Tests of ending: a stop that hangs is ended, with the exit code of that moment."""

import subprocess
import sys

HANGS = """
import signal
from streams.exit import end_within
end_within(0.2, lambda: 3)
signal.pause()
"""


def test_a_stop_that_hangs_is_ended():
    ended = subprocess.run([sys.executable, "-c", HANGS], timeout=60, capture_output=True, text=True)
    assert ended.returncode == 3
    assert "the stop took too long" in ended.stdout


def test_a_stop_in_time_is_left_alone():
    ended = subprocess.run(
        [sys.executable, "-c", "from streams.exit import end_within; end_within(60, lambda: 3)"], timeout=50
    )
    assert ended.returncode == 0
