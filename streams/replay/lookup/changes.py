"""This module says what a draft of a route would change: both are tried on the last events of `raw`, newest first.

Both run in a mapping process of their own, within the bounds of the process stage; nothing is written anywhere.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace

import orjson
from aiokafka import ConsumerRecord

from clients.kafka.range_reader import open_reader, partition_counts
from clients.kafka.ranges import RangeBounds
from processors.event import headers
from processors.event.formats import iso
from processors.event.headers import Origin
from processors.event.strict_json import JsonObject
from processors.replay.attempts import Outcomes
from processors.replay.comparison import Comparison, Survey
from processors.replay.selection import Span
from processors.routes.outcome import Filtered, Mapped
from processors.routes.route import RouteTexts
from processors.routes.routes import Encoded, Raw, Routed
from settings import Settings
from streams.replay.lookup.backwards import WAIT_MS, BackwardLook, Budget
from streams.routes.sandbox.sandbox import Sandbox

#: Names of the two in the mapping process.
NOW, THEN = "now", "then"

#: Events that are tried between two words on how far it is.
STEP = 100

#: Seconds that a comparison may take; a draft that ends its process over each event takes one of those for it.
MAX_SECONDS = 60.0


@dataclass(slots=True)
class Changes:
    """How far a comparison is. `end`: why it ended; empty while it goes on."""

    route: str
    most: int
    read: int = 0
    since_ms: int | None = None
    end: str = ""
    before: Survey = field(default_factory=Survey)
    after: Survey = field(default_factory=Survey)
    comparison: Comparison = field(default_factory=lambda: Comparison(keep=3))

    def as_json(self) -> JsonObject:
        """The numbers so far; with the fields and examples that change."""
        found = self.comparison
        return {
            "read": self.read,
            "most": self.most,
            "since": iso(self.since_ms) if self.since_ms is not None else None,
            "end": self.end or None,
            "changed": found.events,
            "unchanged": found.unchanged,
            "kinds": found.by_route().get(self.route, {}),
            "before": _counts(self.before),
            "after": _counts(self.after),
            "fields": [{"path": path, **change.as_json()} for _, path, change in found.most_changed()[:50]],
            "causes": [{**cause.as_json(), "events": number} for cause, number in found.causes.most_common(20)],
            "examples": [one.as_json() for one in found.first],
        }


def both(current: RouteTexts | None, draft: RouteTexts) -> tuple[RouteTexts, ...]:
    """What is to run in the mapping process: the route as it is, if there is one, and as it would be."""
    now = () if current is None else (replace(current, name=NOW, examples=()),)
    return (*now, replace(draft, name=THEN, examples=()))


async def compared(settings: Settings, sandbox: Sandbox, changes: Changes, span: Span) -> AsyncGenerator[Changes, None]:
    """Compare event by event; gives the same `changes` again and again, further each time. Raises RangeError."""
    name, known = settings.topic("raw"), await partition_counts(settings)
    async with open_reader(settings, name, known, wait_ms=WAIT_MS) as reader:
        look = BackwardLook(reader, RangeBounds(span), Budget.of(changes.most, MAX_SECONDS))
        async for part in look.slices():
            wanted = [record for record in part if record.value is not None][: changes.most - changes.read]
            for begin in range(0, len(wanted), STEP):
                if look.budget.is_over and changes.read:
                    break
                await _take(sandbox, changes, wanted[begin : begin + STEP])
                yield changes
    changes.end = "all" if look.complete else "most" if changes.read >= changes.most else "time"
    yield changes


async def _take(sandbox: Sandbox, changes: Changes, records: Sequence[ConsumerRecord]) -> None:
    raws = []
    for record in records:
        meta = headers.read(dict(record.headers))
        raws.append(Raw(record.value, meta.event_id, received_at=meta.received_at or record.timestamp))
    for record, answer in zip(records, await sandbox.apply(raws), strict=True):
        outcomes = _outcomes(answer)
        if "" in outcomes:  # no event: no route saw it
            continue
        before, after = ({changes.route: outcomes.get(name, Filtered())} for name in (NOW, THEN))
        changes.before.add(before)
        changes.after.add(after)
        changes.comparison.add(Origin(record.topic, record.partition, record.offset), before, after)
    changes.read += len(records)
    changes.since_ms = records[-1].timestamp


def _outcomes(answer: Routed) -> Outcomes:
    return {
        one.route or "": Mapped(one.route, orjson.loads(one.value)) if isinstance(one, Encoded) else one
        for one in answer.outcomes
    }


def _counts(survey: Survey) -> JsonObject:
    return {"mapped": survey.mapped, "filtered": survey.filtered, "failed": survey.failed}
