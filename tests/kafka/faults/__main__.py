"""This module runs the fault suite: `python -m tests.kafka.faults [--quick] [--case NAME] [--events N]`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from rich.console import Console

from tests.kafka.broker import BrokerError
from tests.kafka.cluster import KafkaCluster
from tests.kafka.distribution import KafkaUnavailableError, version
from tests.kafka.faults import table
from tests.kafka.faults.cases import CASES
from tests.kafka.faults.runner import Result, run

EVENTS, QUICK_EVENTS = 10_000, 1_000

console = Console(stderr=True)


def main() -> int:
    """Run the cases one after the other; exit code 0 only if every one was ok."""
    options = _parser().parse_args()
    if options.list:
        for case in CASES.values():
            print(f"{case.name:30}{case.words}")
        return 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a supervisor's stop is a Ctrl-C too
    events = options.events or (QUICK_EVENTS if options.quick else EVENTS)
    names = options.case or list(CASES)
    folder = Path(options.logs or tempfile.mkdtemp(prefix="faults-"))
    console.print(f"{len(names)} cases of {events} events; logs in {folder}")
    try:
        results = _run_all(names, events, folder)
    except (KafkaUnavailableError, BrokerError) as error:
        console.print(str(error), style="red")
        return 2
    console.print(table.for_people(results))
    if options.write:
        table.write(table.for_docs(results, _words(events)))
    print(table.for_programs(results), flush=True)
    return 0 if all(result.ok for result in results) else 1


def _run_all(names: list[str], events: int, folder: Path) -> list[Result]:
    results = []
    with KafkaCluster(brokers=3) as cluster:
        for number, name in enumerate(names):
            began = time.monotonic()

            def say(what: str, name: str = name, began: float = began) -> None:
                console.print(f"{time.monotonic() - began:6.1f} s  [bold]{name}[/]  {what}")

            result = run(CASES[name], cluster, events, folder / f"{number:02}-{name}", say)
            say(f"{result.account} {result.problem} {'; '.join(result.notes)}")
            results.append(result)
    return results


def _words(events: int) -> str:
    return (
        f"Measured {date.today():%Y-%m-%d} on {os.cpu_count()} cores, shared by three brokers of Apache "
        f"Kafka {version()}, two workers, the emulators and the harness; {events:,} events a case."
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.kafka.faults", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_EVENTS} events a case, not {EVENTS}")
    parser.add_argument("--events", type=int, help="events a case")
    parser.add_argument("--case", action="append", choices=list(CASES), metavar="NAME", help="only this; may repeat")
    parser.add_argument("--list", action="store_true", help="name the cases")
    parser.add_argument("--logs", help="folder for the logs of workers and emulators; must not hold any yet")
    parser.add_argument("--write", action="store_true", help="write the table into docs/reliability.md")
    return parser


if __name__ == "__main__":
    sys.exit(main())
