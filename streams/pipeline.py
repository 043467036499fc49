"""This module is the pipeline: the Faust app as the owner of all parts of a worker, made in the order of their needs.

Nothing below holds anything of its own: each part gets what it works with here. Agents, views and commands ask the
app for the parts (streams/app.py makes it).
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
import uuid
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from importlib.metadata import version
from typing import Any, TypeVar, cast

import faust
import structlog

from clients.genesys.rest.observer import Observer
from clients.kafka.lag import LagReader
from processors.delivery.publications import Publications
from processors.metrics.counts import Counts, Sums
from processors.metrics.expired import reason
from processors.routes.breaker import BreakerLimits
from processors.routes.routes import Routes
from processors.routes.target import targets_of
from settings import Settings
from streams.delivery import mirroring, offload, publishing
from streams.delivery.deduplication import Deduplication, active_partitions, recent_table
from streams.delivery.expiry import Expiry
from streams.delivery.lane import Batch
from streams.delivery.ledger import Ledger, Settled
from streams.delivery.mirroring import DeadLetterQueue
from streams.delivery.offload import ClaimChecks
from streams.delivery.packed_producer import PackedProducer
from streams.delivery.publishing import Buses
from streams.delivery.record import Record
from streams.delivery.report_failure import FailureReporter
from streams.delivery.result import Delivery
from streams.delivery.send import Sender
from streams.delivery.stage import Handle, HandleEach, Stage, StageRunner
from streams.faust_patches import lanes
from streams.faust_patches.partitions import follow_partitions, seconds_uncommitted
from streams.health import Health
from streams.replay.desk.failures import FailureDesk
from streams.replay.desk.redrives import RedriveJobs
from streams.replay.desk.side_loop import SideLoop
from streams.routes.breaker import FailureBreaker
from streams.routes.sandboxes import Sandboxes
from streams.sources.genesys import GenesysSource
from streams.sources.intake import Intake
from streams.sources.parts import PartReaders, Source, counting
from streams.sources.queue import QueueSource
from streams.tables.definitions import sum_tables
from streams.tables.owner import TableOwner
from streams.tables.rows import rows, sums
from streams.topics import pipeline_topics
from streams.topology import ACTIONS, ACTIONS_PARTITION, METRICS_KEY, READ, TOPICS, needed_topics
from streams.web.server import BoundedWeb
from streams.worker import group, lookout, reload_routes, watchdog
from streams.worker.actions import ActionLog
from streams.worker.aws_clients import AwsClients
from streams.worker.exporter import Exporter, Looks, Requests, prometheus
from streams.worker.group import Group
from streams.worker.lookout import Lookout
from streams.worker.preflight import preflight
from streams.worker.reload_routes import RouteWatch
from streams.worker.telemetry import Telemetry, WorkerSums
from streams.worker.watchdog import Progress, Rebalance, Watchdog

log = structlog.get_logger(__name__)

#: Seconds that the assignment of partitions may take before health speaks of it.
LONG_REBALANCE_S = 10.0

VERSION = version("genesys-eventbridge")


AnyHandle = TypeVar("AnyHandle", Handle, HandleEach)


class PipelineApp(faust.App):
    """The app. What is wrong before anything is started ends the start."""

    settings: Settings
    routes: Routes
    exit_code: int = 0

    def assemble(self, settings: Settings) -> None:
        """Make all parts; what is below needs what is above."""
        self.settings = settings
        self._assemble_health()
        self._assemble_topics_and_tables()
        self._assemble_delivery()
        self._assemble_routes()
        self._assemble_source()
        self._assemble_targets()
        self._assemble_lookout()
        self._assemble_desk()
        self._set_timers()
        self.on_before_shutdown.connect(self._end_in_order)
        self.on_partitions_assigned.connect(self._note_assignment)

    def _assemble_health(self) -> None:
        """What this worker knows of itself."""
        self.health = Health()
        self.health.check("start", self._not_started)
        self.counts = Counts()
        self.worker_sums, self.requests, self.looks = WorkerSums(), Requests(), Looks()
        self.prometheus = prometheus(Exporter(lambda: self.worker_sums.total, self.health, self.looks, self.requests))

    def _assemble_topics_and_tables(self) -> None:
        self.flow = pipeline_topics(self, self.settings)
        self.sums = sum_tables(self, self.settings.metrics_retention)
        self.owner = TableOwner(self, self.sums.totals)
        self._recent = recent_table(self)

    def _assemble_delivery(self) -> None:
        """What brings events on, and notes it."""
        self._committing: asyncio.Task[bool] | None = None
        self.lanes: dict[str, StageRunner] = {}
        self.publications = Publications()
        self.sender = Sender(self._packed_producer, self.health)
        self.deduplication = Deduplication(
            self.settings.deduplication_window,
            self._recent,
            self._fingerprint,
            lambda: active_partitions(self, self._recent),
        )
        self.actions = ActionLog(self.settings, self.health, self._write_action)
        self._recent.on_recover(self.deduplication.restore)
        self.ledger = Ledger(
            self.counts,
            self.health,
            self._write_counts,
            self._acknowledge,
            grace_s=self.settings.shutdown_grace,
            on_written=self.worker_sums.listen,
            before_acks=self.deduplication.write,
            after_acks=self._commit_soon,
        )
        self.delivery = Delivery(
            self.sender.send,
            self.flow,
            FailureReporter(self.flow.failures, self.settings.kafka_max_message_bytes),
            self.deduplication,
            self.counts,
        )
        #: Hears of what Kafka deleted before it was worked off (streams/faust_patches/fetch.py).
        self.expired = Expiry(self.settings, self.delivery, self.ledger)
        self.health.check("expired", self._unacknowledged)

    def _assemble_routes(self) -> None:
        """The routes in use, and what runs them."""
        settings = self.settings
        self.sandboxes = Sandboxes(settings, self.routes_in_use, self.health)
        self.breaker = FailureBreaker(
            BreakerLimits(settings.flood_share, settings.flood_min, settings.flood_window), self.health
        )
        self.route_watch = RouteWatch(settings, self.health, self.routes_in_use, self.take_over)

    def _assemble_source(self) -> None:
        """What comes in."""
        settings = self.settings
        self.intake = Intake(settings, self.delivery, self.ledger, partial(self.actions.passes, "source"))
        count = counting(self.counts, self.ledger)
        source: Source = GenesysSource(
            settings,
            self.flow.sources.get_topic_name(),
            lambda: Observer(self.health.observer("genesys"), count),
        )
        if settings.source_queue_url is not None:
            source = QueueSource(settings, settings.source_queue_url, self.health.observer("source queue"))
        self.readers = PartReaders(source, self.intake, self.delivery, self.health, self.end_worker)

    def _assemble_targets(self) -> None:
        """Where events go out."""
        settings = self.settings
        self.aws = AwsClients(settings, self.health, self.add_async_context, lambda: targets_of(self.routes))
        self.claim_checks = ClaimChecks(
            lambda: self.aws.when_possible("s3", offload.PART), self.health.observer(offload.PART)
        )
        self.buses = Buses(
            settings,
            self.health,
            self.counts,
            lambda: self.aws.when_possible("events", publishing.PART),
            self.requests,
        )
        self.dead_letters = DeadLetterQueue(
            settings.dlq_queue_url, self.health, lambda: self.aws.when_possible("sqs", mirroring.PART)
        )

    def _assemble_lookout(self) -> None:
        """Who looks on."""
        self.rebalance = Rebalance(self)
        self.health.check("assignment", self._not_assigned)
        self.watchdog = Watchdog(
            Progress(
                self.ledger.stalled,
                self.sender.seconds_silent,
                self.rebalance.seconds,
                lambda: seconds_uncommitted(self.consumer),
            ),
            self.health,
            self._kafka_client,
            needed_topics(self.settings),
        )
        self.lookout = Lookout(
            self.settings,
            self.health,
            self.routes_in_use,
            self.buses,
            self.dead_letters,
            self._partitions,
            lambda: follow_partitions(self.consumer),
        )
        read = [self.settings.topic(name) for name in READ]
        self.group = Group(
            self._write_counts, self._describe_worker, LagReader(self.settings, read), self.owner.is_here, tuple(read)
        )
        self.group.paused = lambda: self.actions.paused
        self._began_ms = int(time.time() * 1000)
        self._has_begun, self._telling = False, set[asyncio.Task[None]]()
        self._set_looks()
        self.health.check("retention", self.group.expiring)
        self.telemetry = Telemetry(self.settings, self.worker_sums, self._group_sums, self.aws.open, self._gauges)

    def _set_looks(self) -> None:
        """What the exporter asks; `self.looks` was made before what it looks at."""
        looks, settings = self.looks, self.settings
        looks.lags = lambda: self.group.lags
        looks.gaps = lambda: rows(self.sums, "gaps") if self.owner.is_here() else ()
        looks.paused = lambda: self.actions.paused
        looks.in_flight = lambda: sum(runner.in_flight for runner in self.lanes.values())
        looks.requests = lambda: self.buses.in_flight
        looks.rebalances = lambda: self.rebalancing_count
        looks.bus_of = self._bus_of
        looks.mirrored = settings.topic("failures") if settings.dlq_queue_url is not None else None

    def _assemble_desk(self) -> None:
        """What operators ask for by the pages."""
        self.side = SideLoop("operators")
        self.failures = FailureDesk(self.settings, self.side)
        self.redrives = RedriveJobs(
            self.settings, self.side, lambda who, words: self.actions.record(who, "redrive", detail=words)
        )

    def _set_timers(self) -> None:
        self.timer(watchdog.LOOK_S)(self.watchdog.look)
        self.timer(group.ANNOUNCE_S)(self.group.announce)
        self.timer(group.LOOK_S)(self.group.look)
        self.timer(lookout.BUS_S)(self.lookout.look_at_buses)
        self.timer(lookout.PARTITIONS_S)(self.lookout.look_at_partitions)
        self.timer(lookout.BUS_S)(self.lookout.look_at_queue)
        self.timer(lookout.RETENTION_S)(self.lookout.look_at_retention)
        self.timer(reload_routes.LOOK_S)(self.route_watch.look)
        self.timer(self.settings.report_interval)(self.telemetry.report_to_log)
        self.timer(self.settings.report_interval)(self.telemetry.report_to_cloudwatch)

    def stage(self, stage: Stage, topic: faust.TopicT) -> Callable[[AnyHandle], AnyHandle]:
        """Make an agent of a function over batches, when this worker has the role."""

        def wrap(handle: AnyHandle) -> AnyHandle:
            if stage.name in self.settings.worker_roles:
                runner = self.lanes[topic.get_topic_name()] = StageRunner(
                    stage,
                    handle,
                    self.ledger,
                    lambda: self.consumer_generation_id,
                    may_begin=partial(self.actions.passes, stage.name),
                )

                async def body(stream: Any) -> None:
                    await runner.run(stream)

                body.__doc__ = handle.__doc__
                self.agent(topic, name=stage.name)(body)
            return handle

        return wrap

    def is_current(self, batch: Batch) -> bool:
        """Whether the batch is still this worker's: what is from before a rebalance is delivered again to its heir."""
        return bool(batch.generation == self.consumer_generation_id)

    def routes_in_use(self) -> Routes:
        """The routes as of now; there are none before the start has read them."""
        return self.routes

    async def take_over(self, routes: Routes) -> None:
        """Use these routes from now on, for what waits too."""
        self._use(routes)
        self.deduplication.forget_fingerprints()
        await self.sandboxes.renew()
        self.breaker.renew()
        self._tell_later(self.group.mark_if_owner("routes", "other routes are in use"))

    def resume(self) -> bool:
        """Let everything go on that paused as most events failed; gives whether anything had."""
        return any([self.breaker.resume(), self.buses.resume()])

    @property
    def shutdown_grace(self) -> float:
        """Seconds that events in flight get at a stop or a rebalance (streams/faust_patches/apply.py)."""
        return self.settings.shutdown_grace

    def end_worker(self, reason: str, exit_code: int = 2) -> None:
        """End this worker in order; by default with the exit code that says: only you can fix `reason`."""
        log.log(logging.CRITICAL if exit_code else logging.INFO, "stopping", reason=reason)
        print(f"genesys-eventbridge: {reason}", file=sys.stderr, flush=True)
        self.exit_code = exit_code
        os.kill(os.getpid(), signal.SIGTERM)

    async def on_first_start(self) -> None:
        found = await preflight(self.settings, self.conf, self._use)
        cast(Any, self.producer).max_batch_size = found.batch_bytes
        self.buses.unseen = found.buses
        if found.queue:
            self.health.trouble(lookout.QUEUE, found.queue)
        await self.add_async_context(self.sandboxes)
        await self.add_async_context(self.actions)
        self.conf.datadir.mkdir(parents=True, exist_ok=True)
        await super().on_first_start()

    def _new_web(self) -> BoundedWeb:
        return BoundedWeb(self)

    def _on_autodiscovery_error(self, name: str) -> None:
        # Stock Faust logs a warning and runs without the agents of the module that failed.
        raise

    async def _end_in_order(self, *_: Any, **__: Any) -> None:
        """Who still reads ends before the last counts are written."""
        await self.redrives.close()
        await self.side.close()
        await self.readers.close()
        try:
            await self.ledger.close()
            if self._assignment is not None:  # else nobody has heard of this worker
                async with asyncio.timeout(group.LOOK_S):
                    await self.group.take_leave()
        except TimeoutError:
            log.warning("Kafka did not take the last counts; their events will be delivered again")
        await self.group.close()

    async def _note_assignment(self, *_: Any, **__: Any) -> None:
        """Keep in the history that this worker has begun, or that the group has shared its partitions out anew."""
        name = str(self.conf.canonical_url).rstrip("/")
        kind = "rebalance" if self._has_begun else "worker-started"
        words = "partitions were assigned anew" if self._has_begun else f"{name} has begun"
        tell = self.group.mark_if_owner if self._has_begun else self.group.mark
        self._has_begun = True
        self._tell_later(tell(kind, words))

    def _tell_later(self, telling: Coroutine[Any, Any, None]) -> None:
        """Say something to the group, without waiting until Kafka has it."""
        task = asyncio.create_task(telling)
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    def _describe_worker(self) -> dict[str, Any]:
        """What this worker says of itself to the group."""
        ours = {self.settings.topic(name) for name in TOPICS}
        owned: dict[str, list[int]] = {}
        for topic, partition in sorted(self._assignment or ()):
            if topic in ours:
                owned.setdefault(topic, []).append(partition)
        return {
            "name": str(self.conf.canonical_url).rstrip("/"),
            "version": VERSION,
            "roles": sorted(self.settings.worker_roles),
            "partitions": owned,
            "troubles": self.health.troubles(),
            "paused": self.breaker.paused,
            "pausedStages": sorted(set(self.actions.paused) & set(self.settings.worker_roles)),
            "sinceMs": self._began_ms,
        }

    def _use(self, routes: Routes) -> None:
        self.routes = routes
        for route in routes:
            for warning in route.texts.warnings:
                log.warning("worth a look", on=f"route {route.name}: {warning}")

    def _not_started(self) -> str | None:
        if self._assignment is None:
            return "Kafka has not assigned partitions yet"
        return None if self.owner.are_recovered() else "the tables are being recovered"

    def _unacknowledged(self) -> str | None:
        """What expired and no operator has acknowledged, where the tables are."""
        return reason(rows(self.sums, "gaps")) if self.owner.is_here() else None

    def _not_assigned(self) -> str | None:
        """What of the group's assignment is missing, once there was one."""
        if self._assignment is None:
            return None
        if (seconds := self.rebalance.seconds()) > LONG_REBALANCE_S:
            return f"the group's partitions have been under assignment for {seconds:.0f} s"
        if self.owner.address() is None:
            return "no worker has been assigned the tables: report, lag and status of the group are not to be had"
        return None

    def _fingerprint(self, route: str) -> str:
        found = self.routes.get(route)
        return found.texts.fingerprint if found is not None else ""

    async def _write_counts(self, delta: bytes) -> None:
        await self.sender.send([Record(self.flow.metrics.get_topic_name(), METRICS_KEY, delta)])

    async def _write_action(self, value: bytes) -> None:
        topic = self.settings.topic(ACTIONS)
        await self.sender.send([Record(topic, uuid.uuid4().bytes, value, partition=ACTIONS_PARTITION)])

    def _acknowledge(self, settled: Sequence[Settled]) -> None:
        lanes.acknowledge(self.consumer, ((batch.books, events) for batch, events in settled))

    def _commit_soon(self) -> None:
        """Commit what was acked at once: until then a crash repeats it. The timer comes up to half a second later."""
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(cast(Any, self.consumer).commit())

    async def _packed_producer(self) -> PackedProducer:
        """The app's producer, as stages send by it; Faust's tables send their rows by themselves."""
        producer = cast(Any, await self.maybe_start_producer())
        return PackedProducer(producer._producer, self.conf.producer_max_request_size)

    async def _kafka_client(self) -> Any:
        return cast(Any, await self.maybe_start_producer())._producer.client

    async def _partitions(self) -> dict[str, int]:
        """How many partitions each topic of the group has, as of the watchdog's latest look."""
        known = (await self._kafka_client()).cluster
        counts = {name: len(known.partitions_for_topic(name) or ()) for name in needed_topics(self.settings)}
        return {name: number for name, number in counts.items() if number}

    def _gauges(self) -> dict[str, float]:
        """What CloudWatch is told of now: of this worker, and of the group where that is known."""
        gauges: dict[str, float] = {"PartsInTrouble": len(self.health.troubles())}
        rows = [one.as_json(int(time.time() * 1000)) for one in self.group.lags]
        if rows:
            gauges["StagesPaused"] = len(self.actions.paused)
            gauges["LagEvents"] = sum(row["lag"] for row in rows)
            gauges["LagSeconds"] = max(
                (row["lagSeconds"] for row in rows if row["lagSeconds"] is not None), default=0.0
            )
        return gauges

    def _bus_of(self, route: str) -> str:
        found = self.routes.get(route)
        return (found.texts.event_bus if found is not None else None) or self.settings.eventbus_name

    def _group_sums(self) -> Sums | None:
        return sums(self.sums) if self.owner.is_here() else None
