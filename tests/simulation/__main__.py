"""This module looks for histories that break a law: `python -m tests.simulation [--minutes M] [--seed N]`."""

from __future__ import annotations

import argparse
import sys
import time

import tests.conftest  # noqa: F401  # the environment first: the app reads it only once
from tests.simulation.search import KINDS, search, tell


def main() -> int:
    """Play histories; exit code 1 when one breaks a law."""
    options = _parser().parse_args()
    kinds = [options.kind] if options.kind else list(KINDS)
    if options.seed is not None:
        found = [one for kind in kinds if (one := tell(kind, options.seed)) is not None]
        print("\n\n".join(map(str, found)) or f"The history of seed {options.seed} breaks no law.")
        return 1 if found else 0
    first = options.first if options.first is not None else int(time.time()) * 1_000
    for kind in kinds:
        result = search(kind, options.minutes * 60 / len(kinds), first)
        print(f"{kind}: {result.histories:,} histories from seed {first} on", flush=True)
        if result.found is not None:
            print(result.found)
            return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, help="how long to look, in all")
    parser.add_argument("--first", type=int, help="the first seed; without it, others each time")
    parser.add_argument("--seed", type=int, help="play this seed's history alone, and shrink it when it breaks a law")
    parser.add_argument("--kind", choices=list(KINDS), help="only this simulation")
    return parser


if __name__ == "__main__":
    sys.exit(main())
