"""This module keeps the messages of a queue that can be received, in the order of its kind."""

from __future__ import annotations

from collections import deque

from emulators.aws.sqs.messages import Message


class StandardShelf:
    """First come, first served; one returned goes to the end. Deleted ones are skipped when they come up."""

    def __init__(self) -> None:
        self._ready: deque[Message] = deque()
        self._count = 0

    def put(self, message: Message) -> None:
        self._ready.append(message)
        self._count += 1

    give_back = put

    def take(self, count: int) -> list[Message]:
        taken: list[Message] = []
        while self._ready and len(taken) < count:
            message = self._ready.popleft()
            if not message.deleted:
                taken.append(message)
        self._count -= len(taken)
        return taken

    def remove(self, message: Message) -> None:
        if not message.in_flight:
            self._count -= 1

    def waiting(self) -> int:
        return self._count


class FifoShelf:
    """One line for each message group; a group with a message in flight gives no other (developer guide,
    "FIFO delivery logic"). Messages stay in their line until they are deleted."""

    def __init__(self) -> None:
        self._lines: dict[str, deque[Message]] = {}
        self._in_flight: dict[str, int] = {}
        self._free: dict[str, None] = {}
        self._count = 0

    def put(self, message: Message) -> None:
        group = _group(message)
        self._lines.setdefault(group, deque()).append(message)
        self._count += 1
        if not self._in_flight.get(group):
            self._free[group] = None

    def take(self, count: int) -> list[Message]:
        taken: list[Message] = []
        while self._free and len(taken) < count:
            group = next(iter(self._free))
            del self._free[group]
            line = self._lines[group]
            batch = [line[position] for position in range(min(count - len(taken), len(line)))]
            self._in_flight[group] = len(batch)
            taken += batch
        self._count -= len(taken)
        return taken

    def give_back(self, message: Message) -> None:
        self._count += 1
        self._release(_group(message))

    def remove(self, message: Message) -> None:
        group = _group(message)
        self._lines[group].remove(message)
        if message.in_flight:
            self._release(group)
            return
        self._count -= 1
        self._settle(group)

    def waiting(self) -> int:
        return self._count

    def _release(self, group: str) -> None:
        self._in_flight[group] -= 1
        self._settle(group)

    def _settle(self, group: str) -> None:
        if self._in_flight.get(group):
            return
        self._in_flight.pop(group, None)
        if self._lines[group]:
            self._free[group] = None
        else:
            del self._lines[group]
            self._free.pop(group, None)


Shelf = StandardShelf | FifoShelf


def _group(message: Message) -> str:
    assert message.group is not None, "FIFO messages have a group"
    return message.group
