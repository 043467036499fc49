"""This module fuzzes every target in turn, each in a process of its own: `python -m tests.fuzz --seconds 60`.

Atheris follows which code the bytes reach; where it is not installed, Hypothesis draws them.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

#: Longest input in bytes; the limits that are tried are far below it.
MAX_BYTES = 4_096

Target = Callable[[bytes], None]


def main() -> None:
    """Run one target, or all of them; exit 1 when one of them found something."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="for all targets together")
    parser.add_argument("--engine", choices=("atheris", "hypothesis"), default=_engine())
    parser.add_argument("--target", help="this one alone")
    options = parser.parse_args()
    if options.target:
        _run_one(options.target, options.engine, options.seconds)
    else:
        sys.exit(_run_all(options.engine, options.seconds))


def _engine() -> str:
    return "atheris" if importlib.util.find_spec("atheris") else "hypothesis"


def _run_all(engine: str, seconds: float) -> int:
    from tests.fuzz.targets import TARGETS

    failed = []
    for name in TARGETS:
        share = max(1, round(seconds / len(TARGETS)))
        command = [sys.executable, "-m", "tests.fuzz", "--target", name, "--engine", engine, "--seconds", str(share)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=share * 10 + 120, check=False)
        output = (ended.stdout + ended.stderr).strip().splitlines()
        done = next((line for line in reversed(output) if line.startswith(("Done", "DONE"))), "")
        print(f"{name}: {'ok' if ended.returncode == 0 else 'FAILED'}, {engine}, {share} s {done}".rstrip(), flush=True)
        if ended.returncode != 0:
            failed.append(name)
            print("\n".join(output[-40:]))
    return 1 if failed else 0


def _run_one(name: str, engine: str, seconds: float) -> None:
    if engine == "hypothesis":
        from tests.fuzz.targets import TARGETS, seeds

        _by_hypothesis(TARGETS[name], seeds(), seconds)
        return
    import atheris

    with atheris.instrument_imports(include=["processors"]):
        from tests.fuzz.targets import TARGETS, seeds
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        for number, content in enumerate(seeds()):
            Path(folder, str(number)).write_bytes(content)
        arguments = [f"-max_total_time={int(seconds)}", f"-max_len={MAX_BYTES}", "-timeout=10", "-rss_limit_mb=1024",
                     f"-artifact_prefix={tempfile.gettempdir()}/fuzz-{name}-"]  # fmt: skip
        atheris.Setup([sys.argv[0], *arguments, folder], TARGETS[name])
        atheris.Fuzz()  # ends the process


def _by_hypothesis(target: Target, examples: list[bytes], seconds: float) -> None:
    texts = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    ).map(lambda value: repr(value).replace("'", '"').encode("utf-8", "replace"))
    cut = st.tuples(st.sampled_from(examples), st.binary(max_size=8), st.integers(0, 500)).map(
        lambda parts: parts[0][: parts[2]] + parts[1] + parts[0][parts[2] :]
    )
    ends, rounds = time.monotonic() + seconds, 0
    while time.monotonic() < ends:

        @seed(rounds)
        @settings(max_examples=500, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(st.binary(max_size=MAX_BYTES) | texts | cut)
        def fuzz(data: bytes) -> None:
            target(data)

        fuzz()
        rounds += 1
    print(f"Done {rounds * 500} examples")


if __name__ == "__main__":
    main()
