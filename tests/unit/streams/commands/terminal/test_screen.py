"""This module tests how far a command is said to be where nobody watches."""

from __future__ import annotations

from streams.commands.terminal.screen import LINE_S, progress_lines


def test_progress_is_a_line_now_and_then(capsys):
    now = 0.0
    moved = progress_lines("genesys.raw", 200, "offsets", lambda: now)
    for done in (10, 20, 50, 60, 200):
        now += LINE_S / 2
        moved(done)
    assert capsys.readouterr().err.splitlines() == [
        "genesys.raw: 20 of 200 offsets (10 %)",
        "genesys.raw: 60 of 200 offsets (30 %)",
    ]


def test_a_short_run_says_nothing(capsys):
    moved = progress_lines("genesys.raw", 2, "offsets")
    moved(1)
    moved(2)
    assert capsys.readouterr().err == ""
