"""This module writes down what an operator does at the command line, where every worker of the group reads it."""

from __future__ import annotations

import getpass
import os
import socket
import time
import uuid
from collections.abc import Mapping

from clients.kafka.range_reader import partition_counts
from clients.kafka.ranges import RangeError
from clients.kafka.writer import Outgoing, Writer, open_writer
from processors.replay.actions import Action, action
from settings import Settings
from streams.topology import ACTIONS, ACTIONS_PARTITION

#: Environment variable by which a worker says for whom, at a page, it runs a command.
ACTS_FOR = "GENESYS_EVENTBRIDGE_ACTS_FOR"


def operator() -> str:
    """Who sits at this command line, or at the page that the command is run for."""
    if name := os.environ.get(ACTS_FOR):
        return name
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        name = "somebody"
    return f"{name}@{socket.gethostname()}"


def now(what: str, *, stage: str | None = None, detail: str = "") -> Action:
    """What this operator does now."""
    return action(int(time.time() * 1000), operator(), what, stage=stage, detail=detail)


async def write_action(settings: Settings, done: Action) -> None:
    """Write an action down. Raises RangeError when Kafka does not take it, and KafkaError when it does not answer."""
    topic = settings.topic(ACTIONS)
    if topic not in await partition_counts(settings, touch=(topic,)):
        raise RangeError(f"there is no topic {topic}: start a worker once, or create it with cleanup.policy=compact")
    async with open_writer(settings) as writer:
        if reason := await _written(writer, topic, done):
            raise RangeError(reason)


async def note(writer: Writer, settings: Settings, known: Mapping[str, int], done: Action) -> None:
    """Write down what a command is about to do; raises RangeError, as nothing is done that is not on record.

    A group whose workers have never run has no record, and nobody who would read it.
    """
    topic = settings.topic(ACTIONS)
    if topic in known and (reason := await _written(writer, topic, done)):
        raise RangeError(reason)


async def _written(writer: Writer, topic: str, done: Action) -> str | None:
    record = Outgoing(topic, uuid.uuid4().bytes, done.encode(), partition=ACTIONS_PARTITION)
    [reason] = await writer.write([record])
    return reason
