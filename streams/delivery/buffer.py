"""This module is what waits for a stage: parts of fetches, cut into batches; bounded in events and in bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence

from faust.types import TP

from streams.delivery.event import Event
from streams.faust_patches.partition_books import Part, PartitionBooks

#: Events that wait before no more are fetched: a few batches, so that a stage never waits for a fetch.
MAX_EVENTS = 4_000

#: Bytes of values that a stage holds at most, settled ones aside: what else belongs to an event is a few times as much.
MAX_BYTES = 32 * 1024 * 1024


class Batch(list[Event]):
    """Events of one topic and one generation. `books`: partition → the books they are in.

    `is_left`: its partitions are about to be somebody else's: nothing more of it is to be sent, and what of it was
    is waited for. `ended`: how many of its events have, and `released` their bytes.
    """

    __slots__ = ("_when_left", "books", "ended", "generation", "is_left", "parts", "released")

    def __init__(self, generation: int = 0, events: Iterable[Event] = ()) -> None:
        super().__init__(events)
        self.generation = generation
        self.books: dict[int, PartitionBooks] = {}
        self.parts: list[Part] = []
        self.ended = self.released = 0
        self.is_left = False
        self._when_left: list[Callable[[], None]] = []

    def when_left(self, call: Callable[[], None]) -> None:
        """Call it when the batch is left."""
        self._when_left.append(call)

    def leave(self) -> None:
        """See `is_left`."""
        self.is_left = True
        while self._when_left:
            self._when_left.pop()()

    def covers(self, tp: TP, offset: int) -> bool:
        """Whether the event with that offset is one of it."""
        return any(part.covers(tp, offset) for part in self.parts)


class StageBuffer:
    """Parts in the order in which they came. There is room for `max_events` that wait, and `max_bytes` of all held."""

    def __init__(self, max_events: int = MAX_EVENTS, max_bytes: int = MAX_BYTES) -> None:
        self._max_events, self._max_bytes = max_events, max_bytes
        self._parts: deque[Part] = deque()
        self._begun = 0  # events of the first part that were cut off already
        self._waiting = self._bytes = 0

    def __len__(self) -> int:
        return self._waiting

    @property
    def is_full(self) -> bool:
        """Whether there is no room; a fetch that is under way is taken all the same."""
        return self._waiting >= self._max_events or self._bytes >= self._max_bytes

    def put(self, part: Part) -> None:
        """Add a part behind the others."""
        self._parts.append(part)
        self._waiting += len(part.records)
        self._bytes += _size(part.records)

    def cut(self, number: int, generation: int) -> Batch:
        """Take the next batch off; what is of another generation is left to whoever gets it next."""
        batch = Batch(generation)
        while self._parts and len(batch) < number:
            part = self._parts[0]
            if part.generation != generation:
                self._drop(part)
                continue
            known = batch.books.setdefault(part.tp.partition, part.books)
            if known is not part.books:  # another log by the same name
                break
            taken = part.records[self._begun : self._begun + number - len(batch)]
            batch.extend(taken)
            batch.parts.append(Part(part.tp, generation, part.books, taken))
            self._waiting -= len(taken)
            self._begun += len(taken)
            if self._begun == len(part.records):
                self._parts.popleft()
                self._begun = 0
        return batch

    def release(self, batch: Batch, ended: Sequence[Event]) -> None:
        """Give back the room of events that have ended."""
        size = _size(ended)
        batch.ended += len(ended)
        batch.released += size
        self._bytes -= size

    def close(self, batch: Batch) -> int:
        """Give back the room of those that have not, and gives how many: they are left to whoever gets them next."""
        if left := len(batch) - batch.ended:
            self._bytes -= _size(batch) - batch.released
        return left

    def clear(self) -> None:
        """Leave everything to whoever gets it next."""
        while self._parts:
            self._drop(self._parts[0])

    def holds(self, tp: TP, offset: int) -> bool:
        """Whether the event with that offset waits here."""
        return any(part.covers(tp, offset) for part in self._parts)

    def _drop(self, part: Part) -> None:
        left = part.records[self._begun :]
        self._parts.popleft()
        self._begun = 0
        self._waiting -= len(left)
        self._bytes -= _size(left)


def _size(events: Iterable[Event]) -> int:
    return sum([len(event.value or b"") for event in events])
