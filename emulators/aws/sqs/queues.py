"""This module is the queues of one account: add, find, delete."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from emulators.aws.sqs.errors import missing, queue_does_not_exist
from emulators.aws.sqs.queue import Queue


class Queues:
    """`base_url` is the emulator's own; it becomes known when the server listens, so it may change."""

    def __init__(self, account: str, region: str, clock: Callable[[], float]) -> None:
        self.base_url = ""
        self._account, self._region, self._clock = account, region, clock
        self._queues: dict[str, Queue] = {}

    def __iter__(self) -> Iterator[Queue]:
        return iter(self._queues.values())

    def __getitem__(self, name: str) -> Queue:
        return self._queues[name]

    @property
    def names(self) -> list[str]:
        return sorted(self._queues)

    def url(self, queue: Queue) -> str:
        return f"{self.base_url}/{self._account}/{queue.name}"

    def add(self, name: str) -> Queue:
        """A queue; a name that ends with `.fifo` makes it FIFO, and one that exists is kept. Raises `AWSError`."""
        if name not in self._queues:
            arn = f"arn:aws:sqs:{self._region}:{self._account}:{name}"
            self._queues[name] = Queue(name, arn, self._clock)
        return self._queues[name]

    def of_name(self, name: object) -> Queue:
        """Raises `AWSError` when there is none."""
        if not name:
            raise missing("QueueName")
        if queue := self._queues.get(str(name)):
            return queue
        raise queue_does_not_exist()

    def of_url(self, url: object) -> Queue:
        """By the path alone, whatever the host. Raises `AWSError` when there is none."""
        if not url:
            raise missing("QueueUrl")
        parts = urlsplit(str(url)).path.strip("/").split("/")
        if len(parts) == 2 and parts[0] == self._account and parts[1] in self._queues:
            return self._queues[parts[1]]
        raise queue_does_not_exist()

    def delete(self, queue: Queue) -> None:
        del self._queues[queue.name]
