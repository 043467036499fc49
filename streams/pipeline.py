"""This module is the pipeline: the Faust app as the owner of all parts of a worker, made in the order of their needs.

Nothing below holds anything of its own: each part gets what it works with here. Agents, views and commands ask the
app for the parts (streams/app.py makes it).
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, cast

import structlog

from clients.kafka.lag import LagReader
from clients.otlp import Spans
from processors.delivery.publications import Publications
from processors.metrics.counts import Counts
from processors.metrics.expired import expiry_reason
from processors.routes.breaker import BreakerLimits
from processors.routes.routes import Routes
from processors.routes.target import targets_of
from settings import Settings
from streams.delivery.deduplication import Deduplication, active_partitions, recent_table
from streams.delivery.expiry import Expiry
from streams.delivery.faust_clients import FaustClients
from streams.delivery.ledger import Ledger
from streams.delivery.membership import Membership
from streams.delivery.record import Record
from streams.delivery.report_failure import FailureReporter
from streams.delivery.result import Delivery
from streams.delivery.send import Sender
from streams.delivery.targets import buses, dead_letter_queue, offload
from streams.delivery.topics import pipeline_topics
from streams.health import Health
from streams.replay.background.background_loop import BackgroundLoop
from streams.replay.background.failure_queries import FailureQueries
from streams.replay.background.redrives import RedriveJobs
from streams.routes.breaker import FailureBreaker
from streams.routes.sandboxes import Sandboxes
from streams.sources.choice import chosen_source
from streams.sources.intake import Intake
from streams.sources.parts import PartReaders
from streams.tables.definitions import sum_tables
from streams.tables.owner import TableOwner
from streams.topology import METRICS_KEY, READ, needed_topics
from streams.worker import dependencies, group, reload_routes, watchdog
from streams.worker.action_log import ActionLog
from streams.worker.announcement import VERSION, Announcement
from streams.worker.assignment import Assignment
from streams.worker.aws_clients import AwsClients
from streams.worker.exporter import Exporter, Gauges, PutEventsMetrics, prometheus
from streams.worker.preflight import preflight
from streams.worker.telemetry import Telemetry, WorkerSums
from streams.worker.worker_app import WorkerApp

log = structlog.get_logger(__name__)


class PipelineApp(WorkerApp):
    """The app. What is wrong before anything is started ends the start."""

    routes: Routes

    def assemble(self, settings: Settings) -> None:
        """Make all parts; what is below needs what is above."""
        self.settings, self.health = settings, Health()
        self.counts, self.worker_sums, self.put_events_metrics = Counts(), WorkerSums(), PutEventsMetrics()
        self.spans = Spans.of(settings, VERSION)
        self._assemble_tables()
        self._assemble_delivery()
        self._assemble_routes()
        self._assemble_source()
        self._assemble_targets()
        self._assemble_group()
        self._assemble_watch()
        self._assemble_telemetry()
        self._assemble_background()
        self._set_timers()
        self.on_before_shutdown.connect(self._end_in_order)
        self.on_partitions_assigned.connect(self.group.assigned)

    def _assemble_tables(self) -> None:
        """Topics and tables, and whose they are."""
        self.flow = pipeline_topics(self, self.settings)
        self.sums = sum_tables(self, self.settings.metrics_retention)
        self.owner = TableOwner(self, self.sums)
        self.assignment = Assignment(self, self.owner, self.health)
        self._recent = recent_table(self)

    def _assemble_delivery(self) -> None:
        """What brings events on, and notes it."""
        settings, health = self.settings, self.health
        self.kafka = FaustClients(self)
        self.lanes, self.publications = {}, Publications()
        self.sender = Sender(self.kafka.packed_producer, health)
        owned = partial(active_partitions, self, self._recent)
        self.deduplication = Deduplication(
            settings.deduplication_window, self._recent, lambda route: self.routes.fingerprint(route), owned
        )
        self._recent.on_recover(self.deduplication.restore)
        self.actions = ActionLog(settings, health, self.sender.send)
        self.ledger = Ledger(
            self.counts,
            health,
            self._write_counts,
            self.kafka.acknowledge,
            grace_s=settings.shutdown_grace,
            on_written=self.worker_sums.listen,
            before_acks=self.deduplication.write,
            after_acks=self.kafka.commit_soon,
        )
        self.membership = Membership(self.kafka.is_member, lambda: self.consumer_generation_id, self.ledger.keep_pace)
        reporter = FailureReporter(self.flow.failures, settings.kafka_max_message_bytes)
        self.delivery = Delivery(self.sender.send, self.flow, reporter, self.deduplication, self.counts)
        #: Hears of what Kafka deleted before it was processed (streams/faust_patches/fetch.py).
        self.expired = Expiry(settings, self.delivery, self.ledger)
        health.check("expired", lambda: expiry_reason(self.owner.gaps()))

    def _assemble_routes(self) -> None:
        """The routes in use, and what runs them."""
        settings, health = self.settings, self.health
        self.sandboxes = Sandboxes(settings, self.routes_in_use, health)
        limits = BreakerLimits(settings.flood_share, settings.flood_min, settings.flood_window)
        self.breaker = FailureBreaker(limits, health)
        self.route_watch = reload_routes.RouteWatch(settings, health, self.routes_in_use, self.take_over)

    def _assemble_source(self) -> None:
        """What comes in."""
        settings, health = self.settings, self.health
        passes = partial(self.actions.passes, "source")
        self.intake = Intake(settings, self.delivery, self.ledger, passes, self.spans)
        source = chosen_source(settings, self.flow.sources.get_topic_name(), health, self.counts, self.ledger)
        self.readers = PartReaders(source, self.intake, self.delivery, health, self.end_worker)

    def _assemble_targets(self) -> None:
        """Where events go out."""
        settings, health = self.settings, self.health
        self.aws = AwsClients(settings, health, self.add_async_context, lambda: targets_of(self.routes))
        client = self.aws.when_possible
        self.claim_checks = offload.ClaimChecks(partial(client, "s3", offload.PART), health.observer(offload.PART))
        events, may_publish = partial(client, "events", buses.PART), self.membership.may_publish
        self.buses = buses.Buses(settings, health, self.counts, events, self.put_events_metrics, may_publish)
        sqs = partial(client, "sqs", dead_letter_queue.PART)
        self.dead_letters = dead_letter_queue.DeadLetterQueue(settings.dlq_queue_url, health, sqs)

    def _assemble_group(self) -> None:
        """What this worker tells the others, and knows of them."""
        settings, health = self.settings, self.health
        said = Announcement(settings, lambda: self.worker_name, health, self.assignment, self.breaker, self.actions)
        read = tuple(settings.topic(name) for name in READ)
        lag = LagReader(settings, read)
        owner, paused = self.owner, lambda: self.actions.paused
        self.group = group.Group(self._write_counts, said.as_json, lag, owner.is_here, read, owner.raw_counted, paused)
        health.check("retention", self.group.expiring)

    def _assemble_watch(self) -> None:
        """Who looks on."""
        probes = watchdog.StallProbes(
            self.ledger.stalled, self.sender.seconds_silent, self.assignment.rebalancing_s, self.kafka.uncommitted_s
        )
        self.watchdog = watchdog.Watchdog(probes, self.health, self.kafka.client, needed_topics(self.settings))
        self.dependencies = dependencies.DependencyChecks(
            self.settings, self.health, self.routes_in_use, self.buses, self.dead_letters, self.kafka
        )

    def _assemble_telemetry(self) -> None:
        """What the world is told."""
        settings, sums = self.settings, self.worker_sums
        self.gauges = Gauges(
            lags=lambda: self.group.lags,
            gaps=self.owner.gaps,
            difference=lambda: self.owner.difference(self.group.word()),
            paused=lambda: self.actions.paused,
            troubles=self.health.troubles,
            in_flight=lambda: sum(runner.in_flight for runner in self.lanes.values()),
            requests=lambda: self.buses.in_flight,
            rebalances=lambda: self.rebalancing_count,
            bus_of=lambda route: self.routes.bus(route) or settings.eventbus_name,
            mirrored=settings.topic("failures") if settings.dlq_queue_url is not None else None,
        )
        self.prometheus = prometheus(Exporter(lambda: sums.total, self.gauges, self.put_events_metrics))
        self.telemetry = Telemetry(settings, sums, self.owner.sums, self.aws.open, self.gauges.in_short)

    def _assemble_background(self) -> None:
        """What operators ask for by the pages."""
        self.background = BackgroundLoop("operators")
        self.failures = FailureQueries(self.settings, self.background)
        self.redrives = RedriveJobs(self.settings, self.background, self.actions.record)

    def _set_timers(self) -> None:
        self.timer(watchdog.CHECK_S)(self.watchdog.check)
        self.timer(group.ANNOUNCE_S)(self.group.announce)
        self.timer(group.REFRESH_S)(self.group.refresh)
        self.timer(dependencies.BUS_S)(self.dependencies.check_buses)
        self.timer(dependencies.PARTITIONS_S)(self.dependencies.check_partitions)
        self.timer(dependencies.BUS_S)(self.dependencies.check_queue)
        self.timer(dependencies.RETENTION_S)(self.dependencies.check_retention)
        self.timer(reload_routes.CHECK_S)(self.route_watch.check)
        self.timer(self.settings.report_interval)(self.telemetry.report_to_log)
        self.timer(self.settings.report_interval)(self.telemetry.report_to_cloudwatch)

    def routes_in_use(self) -> Routes:
        """The routes as of now; there are none before the start has read them."""
        return self.routes

    async def take_over(self, routes: Routes) -> None:
        """Use these routes from now on, for what waits too."""
        self._use(routes)
        self.deduplication.forget_fingerprints()
        await self.sandboxes.renew()
        self.breaker.renew()
        self.group.mark_later("routes", "other routes are in use", once=True)

    def resume(self) -> bool:
        """Let everything go on that paused as most events failed; gives whether anything had."""
        return any([self.breaker.resume(), self.buses.resume()])

    async def on_first_start(self) -> None:
        found = await preflight(self.settings, self.conf, self._use, self.spans)
        cast(Any, self.producer).max_batch_size = found.batch_bytes
        self.dependencies.begin(found.buses, found.queue)
        await self.add_async_context(self.sandboxes)
        await self.add_async_context(self.actions)
        self.conf.datadir.mkdir(parents=True, exist_ok=True)
        await super().on_first_start()

    async def _end_in_order(self, *_: Any, **__: Any) -> None:
        """Who still reads ends before the last counts are written."""
        for one in (self.redrives, self.background, self.readers):
            await one.close()
        try:
            await self.ledger.close()
            if self.assignment.is_known:
                async with asyncio.timeout(group.REFRESH_S):
                    await self.group.take_leave()
        except TimeoutError:
            log.warning("Kafka did not take the last counts; their events will be delivered again")
        await self.group.close()
        await asyncio.to_thread(self.spans.close)

    def _use(self, routes: Routes) -> None:
        self.routes = routes
        for route in routes:
            for warning in route.texts.warnings:
                log.warning("worth a look", on=f"route {route.name}: {warning}")

    async def _write_counts(self, delta: bytes) -> None:
        await self.sender.send([Record(self.flow.metrics.get_topic_name(), METRICS_KEY, delta)])
