"""This module knows what operators did, as every worker of the group does, and holds stages that they paused.

The actions stand in a compacted topic that every worker reads whole when it starts, so that one which starts later
obeys as well. Until it is read no stage begins a batch.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog

from clients.kafka.follow import Follower
from processors.replay.actions import PAUSABLE, Action, Actions, action, pause_in_words, read_action
from processors.replay.period import Period
from settings import Settings
from streams.delivery.record import Record
from streams.health import Health
from streams.topology import ACTIONS, ACTIONS_PARTITION

log = structlog.get_logger(__name__)

#: The part that health names while the actions cannot be read.
PART = "actions"


class ActionLog:
    """A context manager that reads the actions while it lasts. `send` brings records to Kafka."""

    #: Seconds that an action may take until this worker has read it itself.
    heard_s = 5.0

    def __init__(
        self,
        settings: Settings,
        health: Health,
        send: Callable[[Sequence[Record]], Awaitable[None]],
        follower: Callable[..., Any] = Follower,
    ) -> None:
        self._send, self._topic = send, settings.topic(ACTIONS)
        self._actions, self._next = Actions(), Actions()
        self._is_known = False
        self._changed = asyncio.Condition()
        self._follower = follower(
            settings,
            self._topic,
            begin=self._begin,
            hear=self._hear,
            caught_up=self._caught_up,
            on_trouble=health.observer(PART),
        )
        self._tasks: set[asyncio.Task[Any]] = set()
        health.check("start (actions)", lambda: None if self._is_known else "what operators did is not read yet")

    async def __aenter__(self) -> ActionLog:
        self._run(self._follower.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def paused(self) -> dict[str, Action]:
        """Stage → by which pause it stands still."""
        return self._actions.paused

    def paused_in_words(self) -> dict[str, str]:
        """Stage → by whom and since when it is paused."""
        return {stage: pause_in_words(self.paused[stage]) for stage in PAUSABLE if stage in self.paused}

    def during(self, asked: Period | None = None) -> list[Action]:
        """What was done in a time, newest first."""
        return self._actions.during(asked)

    def is_open(self, stage: str) -> bool:
        """Whether a stage may begin something."""
        return self._is_known and stage not in self.paused

    async def passes(self, stage: str) -> None:
        """Wait until a stage may begin something."""
        if not self.is_open(stage):
            async with self._changed:
                await self._changed.wait_for(lambda: self.is_open(stage))

    async def record(self, who: str, what: str, *, stage: str | None = None, detail: str = "") -> Action:
        """Write an action down; returns when Kafka has it and, as a rule, this worker has read it itself."""
        done = action(int(time.time() * 1000), who, what, stage=stage, detail=detail)
        await self._send([Record(self._topic, uuid.uuid4().bytes, done.encode(), partition=ACTIONS_PARTITION)])
        try:
            async with asyncio.timeout(self.heard_s), self._changed:
                await self._changed.wait_for(lambda: done in self._actions.during())
        except TimeoutError:
            log.warning("an action is written, and not read yet", action=str(done))
        return done

    def _begin(self) -> None:
        self._next = Actions()

    def _caught_up(self) -> None:
        """What was read anew counts from now on; until then the old stands, so that a lost broker resumes nothing."""
        self._actions, self._is_known = self._next, True
        self._tell()

    def _hear(self, value: bytes | None) -> None:
        found = read_action(value)
        if found is None:
            log.warning("a record of the actions is left, as it is none", size=len(value or b""))
            return
        self._next.add(found)
        if self._next is self._actions:
            log.info("an operator acted", action=str(found))
            self._tell()

    def _tell(self) -> None:
        self._run(self._notify())

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _run(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
