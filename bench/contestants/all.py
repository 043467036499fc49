"""This module lists who is measured."""

from __future__ import annotations

import sys

from bench.race import ROOT, Contestant

QUIX_PYTHON = ROOT / ".venv/quix/bin/python"


def _module(name: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", f"bench.contestants.{name}", *arguments)


PROJECT = Contestant("this project")
PROJECT_TWICE = Contestant("this project, two workers", processes=2)

_QUIX = (str(QUIX_PYTHON), "-m", "bench.contestants.quix_streams")
QUIX = Contestant("Quix Streams", _QUIX)
QUIX_TWICE = Contestant("Quix Streams, two processes", _QUIX, processes=2)

BARE = Contestant("bare aiokafka loop", _module("bare_loop"))
FAUST = Contestant("stock Faust", _module("stock_faust", "worker", "-l", "error"), share=0.1)
TUTORIAL = Contestant("the tutorial's way", _module("tutorial", "worker", "-l", "error"), share=0.02)


def contestants() -> list[Contestant]:
    """Those that can be had here, in the order in which they run."""
    quix = [QUIX, QUIX_TWICE] if QUIX_PYTHON.exists() else []
    return [PROJECT, *quix, PROJECT_TWICE, BARE, FAUST, TUTORIAL]


def named(name: str) -> Contestant:
    """By its name. Raises KeyError."""
    return {one.name: one for one in contestants()}[name]
