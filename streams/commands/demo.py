"""This module is the command `demo`: everything embedded in one go, with the books kept."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from dataclasses import dataclass, replace
from typing import Any

import click
import httpx
from aiokafka.errors import KafkaError
from rich.console import Console, RenderableType
from rich.live import Live

from streams.commands.terminal.options import Rate
from streams.commands.terminal.pipeline_screen import Rates, draw, waiting
from streams.demo.accounts import Account, DemoLedger
from streams.demo.stack import DemoError, Options, Stack

#: The embedded broker keeps 5 MB a partition: above so many events the source is paced, so that nothing is pushed out.
UNPACED_EVENTS = 20_000
PACED_RATE = 1_000.0
WATCHED_RATE = 50.0

#: Seconds without any event coming to its end after which a demo with `--exit` gives up.
PATIENCE_S = 120.0

#: Seconds without any after which nothing more of what Genesys has sent is on its way.
QUIET_S = 2.0

#: Seconds between two looks at both sides of the books, and that the last one may take.
CLOSELY_S, LAST_S = 5.0, 15.0

#: Ctrl-C, a supervisor's stop, a closed terminal.
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

#: Exit code of a demo with `--exit` that was stopped before all were accounted for, as shells say it of Ctrl-C.
EXIT_INTERRUPTED = 130

console = Console(stderr=True)


EPILOG = """\b
Examples:
  genesys-eventbridge demo
  genesys-eventbridge demo --events 5000 --faults --exit
  genesys-eventbridge demo --source notifications
"""


@click.command(epilog=EPILOG)
@click.option("--events", type=click.IntRange(1), help="Events that Genesys sends. Default: no end; 500 with --exit.")
@click.option("--exit", "exits", is_flag=True, help="End when all are accounted for; print one JSON line.")
@click.option("--source", type=click.Choice(["stream", "notifications", "sqs"]), default="stream", show_default=True,
              help="HTTP event stream, notification sockets, or the queue of Genesys' own integration.")  # fmt: skip
@click.option("--faults", is_flag=True, help="Throttled entries, dropped connections, cut streams.")
@click.option("--rate", type=Rate(0), help="Events a second; 0 = as fast as they are taken.")
@click.option("--port", type=click.IntRange(1, 65535), default=6066, show_default=True, help="Port of the dashboard.")
def demo(events: int | None, exits: bool, source: str, faults: bool, rate: float | None, port: int) -> None:
    """Run Kafka, Genesys, AWS and a worker, all embedded, and watch events arrive.

    Nothing outside this machine is touched and nothing is kept: the broker and both clouds are emulators on
    loopback ports, and no setting of your shell counts but LOG_LEVEL and LOG_FORMAT. Exit codes: 0 nothing is
    lost, 1 something is, or a part did not start or stands still (the logs are kept and named), 130 stopped
    before all were accounted for.
    """
    if exits and events is None:
        events = 500
    if rate is None:
        rate = WATCHED_RATE if not exits else 0.0 if (events or 0) <= UNPACED_EVENTS else PACED_RATE
    options = Options(events, source, faults, rate, port)
    signals: list[int] = []  # raised as exceptions they could be lost in the hooks of a fork
    for number in ENDS:
        signal.signal(number, lambda number, _: signals.append(number))
    try:
        with Stack(options) as stack:
            watched = asyncio.run(_watch(stack, exits, signals))
            code = judge(watched.account, stack) if watched.account is not None else 0
    except DemoError as error:
        raise click.ClickException(str(error)) from None
    if watched.account is None:
        console.print("ended before anything could be accounted for")
    elif watched.interrupted:
        console.print(closing(watched.account), markup=False, highlight=False)
    else:
        print(json.dumps(summary(watched.account)), flush=True)
    sys.exit(EXIT_INTERRUPTED if watched.interrupted and exits else code)


@dataclass(frozen=True, slots=True)
class DemoEnd:
    """How a demo ended: with which account, and whether a signal ended it."""

    account: Account | None
    interrupted: bool


def closing(account: Account) -> str:
    """The account in words, for who has ended the demo."""
    on_their_way = max(0, account.ingested - account.ended)
    return (
        f"{account.ingested:,} events taken in over {account.seconds:.0f} s = {account.published:,} published + "
        f"{account.filtered:,} filtered + {account.failed:,} failed + {on_their_way:,} on their way; "
        f"lost {account.lost:,}, duplicates {account.duplicates:,}"
    )


def judge(account: Account, stack: Stack) -> int:
    """The exit code; where something is wrong that is signals, and the logs are kept."""
    wrong = _wrong(account, stack.options.events)
    if not wrong:
        return 0
    stack.keep = True
    console.print(f"{wrong}; logs are in {stack.folder}", markup=False)
    return 1


def _wrong(account: Account, events: int | None) -> str:
    """Why the demo failed; empty when every event is accounted for."""
    if account.gave_up:
        taken = f"{account.ingested} of {events} events were taken in, {account.ended} came to their end"
        return f"nothing has moved for {PATIENCE_S:.0f} s: {taken}, {account.lost} are lost"
    return f"{account.lost} events are lost" if account.lost else ""


def summary(account: Account) -> dict[str, float]:
    """What `--exit` prints."""
    return {
        "ingested": account.ingested,
        "filtered": account.filtered,
        "published": account.published,
        "failed": account.failed,
        "duplicates": account.duplicates,
        "lost": account.lost,
        "seconds": round(account.seconds, 2),
        "events_per_second": round(account.ended / account.seconds, 1) if account.seconds else 0.0,
    }


async def _watch(stack: Stack, exits: bool, signals: list[int]) -> DemoEnd:
    """Draw once a second until all are accounted for; without `exits`, until a signal. `signals`: those before."""
    kafka = stack.environment["KAFKA_BOOTSTRAP_SERVERS"]
    async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
        books = DemoLedger(stack.genesys, stack.aws, stack.web, kafka, client, stack.options.source)
        watch = Watch(stack, books, exits)
        watching = asyncio.ensure_future(watch.until_accounted())
        for number in ENDS:
            asyncio.get_running_loop().add_signal_handler(number, watching.cancel)
        if signals:
            watching.cancel()
        try:
            return DemoEnd(await watching, interrupted=False)
        except asyncio.CancelledError:
            return DemoEnd(await watch.last_account(), interrupted=True)
        finally:
            await books.close()


class Watch:
    """Draws the pipeline and what the books say, about once a second."""

    def __init__(self, stack: Stack, books: DemoLedger, exits: bool, patience_s: float = PATIENCE_S) -> None:
        self._stack, self._books, self._exits, self._patience_s = stack, books, exits, patience_s
        self._rates, self._began = Rates(), time.monotonic()
        self._lost, self._looked_at = 0, 0.0
        self._failures: list[dict[str, Any]] | None = None

    async def until_accounted(self) -> Account:
        """Draw until all events are accounted for, or nothing has moved for so long."""
        progress, moved_at = -1, self._began
        with Live(console=console, refresh_per_second=4, transient=self._exits) as screen:
            while True:
                self._stack.check()
                now, live = time.monotonic(), await self._books.live()
                if live is not None and not self._exits:
                    await self._look_closely(now, live)
                screen.update(self._drawn(now, live))
                report = live["report"] if live is not None else None
                ended = ended_ways(report) if report else 0
                if ended != progress:
                    progress, moved_at = ended, now
                quiet = now - moved_at > QUIET_S
                if self._exits and report and (account := await self._complete(report, quiet)):
                    return account
                if self._exits and now - moved_at > self._patience_s:
                    return replace(await self._books.account(), gave_up=True)
                await asyncio.sleep(0.25 if self._exits else 1.0)

    async def last_account(self) -> Account | None:
        """Where all events are when somebody has had enough: lost are those that cannot be on their way any more."""
        try:
            async with asyncio.timeout(LAST_S):
                return replace(await self._books.account(), lost=self._lost)
        except (TimeoutError, httpx.HTTPError, KafkaError):
            return None

    async def _look_closely(self, now: float, live: dict[str, Any]) -> None:
        """Every few seconds: what is lost, and what failed; reading both sides takes the longer the more there is."""
        if now - self._looked_at < CLOSELY_S:
            return
        ages = [row["lagSeconds"] for row in live["lag"]["partitions"] if row["lag"]]
        if all(age is not None for age in ages):
            self._lost = await self._books.lost_by_now(now, max(ages, default=0.0))
        self._failures = await self._books.failures()
        self._looked_at = now + 9 * (time.monotonic() - now)

    def _drawn(self, now: float, live: dict[str, Any] | None) -> RenderableType:
        seconds, log = now - self._began, self._stack.folder / "worker.log"
        foot = [f"dashboard {self._stack.web}/ · Ctrl-C ends", f"worker's log {log}"]
        if live is None:
            return waiting(f"the worker starts ({seconds:.0f} s)", foot)
        lost = f"lost {self._lost:,} by the emulators' books" if not self._exits else ""
        rates = self._rates.measured(now, live["report"])
        return draw(live, rates, self._failures, [" · ".join(filter(None, [lost, f"{seconds:.0f} s"])), *foot])

    async def _complete(self, report: dict[str, int], quiet: bool) -> Account | None:
        """The exact books, once each event that came in has ended and none is lost."""
        if not await _may_be_done(self._stack.options, self._books, report, quiet):
            return None
        account = await self._books.account()
        return account if account.lost == 0 and account.ended >= account.ingested else None


def ended_ways(report: dict[str, int]) -> int:
    """Ways of events that have come to their end, as the worker counts them."""
    return sum(report[name] for name in ("filtered", "published", "failed", "repeated"))


async def _may_be_done(options: Options, books: DemoLedger, report: dict[str, int], quiet: bool) -> bool:
    """Whether the cheap numbers say that all is through, so that the exact books are worth reading.

    A snapshot that tells nothing new is dropped before it counts as ingested; others are sent in its place.
    """
    events = options.events or 0
    if ended_ways(report) < report["ingested"] or not await books.all_sent(events):
        return False
    if options.source == "notifications" and report["ingested"] < events:
        if quiet:
            await books.ask_for_more(events - report["ingested"])
        return False
    return True
