"""This module runs the fault suite: `python -m tests.kafka.faults [--quick] [--case NAME] [--runs N]`.

With `--nemesis SEED` it composes faults instead of making them one by one.
"""

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
from tests.kafka.distribution import KafkaUnavailableError, version
from tests.kafka.faults import table
from tests.kafka.faults.cases import CASES
from tests.kafka.faults.preparation import MAX_RATE
from tests.kafka.faults.runner import Result
from tests.kafka.faults.suite import run_all
from tests.kafka.nemesis import campaign
from tests.kafka.nemesis.schedule import EVERY_S

EVENTS, QUICK_EVENTS = 10_000, 1_000

#: Cases that run side by side; with more events they would take the cores from each other.
LANES, QUICK_LANES = 1, 2

#: Columns of the table when nobody watches, so that a log holds whole words.
WIDTH = 160

console = Console(stderr=True, width=None if sys.stderr.isatty() else WIDTH, highlight=False)


def main() -> int:
    """Run the cases one after the other; exit code 0 only if every one was ok."""
    options = _parser().parse_args()
    if options.list:
        for case in CASES.values():
            print(f"{case.name:30}{case.words}")
        return 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a supervisor's stop is a Ctrl-C too
    events = options.events or (QUICK_EVENTS if options.quick else EVENTS)
    lanes = options.lanes or (QUICK_LANES if events <= QUICK_EVENTS else LANES)
    names = list(dict.fromkeys(options.case or CASES))
    folder = Path(options.logs or tempfile.mkdtemp(prefix="faults-"))
    if options.nemesis is not None:
        plan = campaign.Plan(options.nemesis, options.minutes, options.rate or campaign.RATE, options.every)
        return _compose(plan, folder)
    console.print(f"{len(names)} cases of {events} events, {options.runs} times; logs in {folder}")
    results: list[Result] = []
    began = time.monotonic()
    try:
        for number in range(options.runs):
            results += run_all(names, events, folder / f"run-{number + 1}", _say, lanes, options.rate or MAX_RATE)
    except (KafkaUnavailableError, BrokerError) as error:
        console.print(str(error), style="red")
        return 2
    except KeyboardInterrupt:
        console.print("interrupted; workers, emulators and brokers have been ended", style="red")
        os._exit(130)  # lanes that wait for their fault to end would hold up an orderly exit
    words = _words(events, options.runs, lanes, time.monotonic() - began)
    console.print(table.for_people(results), words)
    if options.write:
        table.write(table.for_docs(results, words))
    print(table.for_programs(results), flush=True)
    return 0 if all(result.ok for result in results) else 1


def _compose(plan: campaign.Plan, folder: Path) -> int:
    console.print(f"seed {plan.seed}, {plan.minutes:g} minutes; history, plot and logs in {folder}")
    try:
        verdict = campaign.run(plan, folder, lambda line: console.print(line, soft_wrap=True))
    except (KafkaUnavailableError, BrokerError) as error:
        console.print(str(error), style="red")
        return 2
    print(campaign.report(verdict), flush=True)
    return 0 if verdict.ok else 1


def _say(case: str, what: str) -> None:
    console.print(f"[bold]{case:28}[/]{what}", soft_wrap=True)


def _words(events: int, runs: int, lanes: int, seconds: float) -> str:
    times = "one run" if runs == 1 else f"{runs} runs in a row"
    return (
        f"Measured {date.today():%Y-%m-%d}: {times} of {events:,} events a case in {seconds / 60:.0f} minutes, on "
        f"{os.cpu_count()} cores shared by three brokers of Apache Kafka {version()}, two workers, the emulators "
        f"and the harness{f', {lanes} cases side by side' if lanes > 1 else ''}."
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.kafka.faults", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_EVENTS} events a case, not {EVENTS}")
    parser.add_argument("--events", type=int, help="events a case")
    parser.add_argument("--runs", type=int, default=1, help="run all of it so often; each on a cluster of its own")
    parser.add_argument("--lanes", type=int, help=f"cases that run side by side; {QUICK_LANES} when they are quick")
    parser.add_argument("--case", action="append", choices=list(CASES), metavar="NAME", help="only this; may repeat")
    parser.add_argument("--rate", type=float, help="events a second at most, so that they flow longer")
    parser.add_argument("--nemesis", type=int, metavar="SEED", help="compose random faults from a seed instead")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long composed faults strike; 10")
    parser.add_argument("--every", type=float, default=EVERY_S, help=f"seconds between those, on average; {EVERY_S:g}")
    parser.add_argument("--list", action="store_true", help="name the cases")
    parser.add_argument("--logs", help="folder for the logs of workers and emulators; must not hold any yet")
    parser.add_argument("--write", action="store_true", help="write the table into docs/reliability.md")
    return parser


if __name__ == "__main__":
    sys.exit(main())
