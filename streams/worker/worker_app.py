"""This module is a worker as a Faust app: its stages, its name, its web server and its end.

What the stages work with is made on top of it (streams/pipeline.py).
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import faust
import structlog

from settings import Settings
from streams.delivery.ledger import Ledger
from streams.delivery.stage import Handle, HandleEach, Stage, StageRunner
from streams.web.server import BoundedWeb
from streams.worker.action_log import ActionLog

log = structlog.get_logger(__name__)

AnyHandle = TypeVar("AnyHandle", Handle, HandleEach)


class WorkerApp(faust.App):
    """See the module. `lanes`: topic → what runs its stage."""

    settings: Settings
    ledger: Ledger
    actions: ActionLog
    lanes: dict[str, StageRunner]
    exit_code: int = 0

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

    @property
    def worker_name(self) -> str:
        """The web address of this worker, by which the others know it."""
        return str(self.conf.canonical_url).rstrip("/")

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

    def _new_web(self) -> BoundedWeb:
        return BoundedWeb(self)

    def _on_autodiscovery_error(self, name: str) -> None:
        # Stock Faust logs a warning and runs without the agents of the module that failed.
        raise
