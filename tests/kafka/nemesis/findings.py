"""This module says what a run of composed faults came to: what was lost, twice, out of order, skipped, long unseen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from tests.kafka import ledger
from tests.kafka.faults.offsets import Offsets
from tests.kafka.ledger import Account
from tests.kafka.pipeline import Pipeline

#: So many numbers are named of each finding; the figures are of all.
NAMED = 20


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found. `skipped`: those of the lost whose offset in `raw` was committed all the same.

    `twice`: numbers that are more than once on the bus. `unseen_s`: number → seconds from its being given to its
    first end, of those that leave a trace. `uncounted`: filtered events that nobody counted.
    """

    account: Account
    uncounted: int
    skipped: tuple[int, ...]
    twice: tuple[int, ...]
    repeated: tuple[int, int]
    disordered: tuple[int, ...]
    unseen_s: Mapping[int, float]
    uncommitted: Mapping[str, int]

    @property
    def clean(self) -> bool:
        """Whether nothing was lost and everything is where it belongs."""
        return self.account.clean and not self.uncounted and not self.uncommitted

    def longest_unseen(self) -> list[tuple[int, float]]:
        """The numbers that were seen last, with their seconds."""
        return sorted(self.unseen_s.items(), key=lambda one: -one[1])[:NAMED]

    def for_programs(self) -> dict[str, Any]:
        """Figures and the first numbers of each finding."""
        account = self.account
        of_killed, of_others = self.repeated
        return {
            "events": account.events,
            "lost": len(account.lost) + self.uncounted,
            "lost_numbers": account.lost[:NAMED],
            "skipped": len(self.skipped),
            "skipped_numbers": self.skipped[:NAMED],
            "twice": account.duplicates,
            "twice_of_killed": of_killed,
            "twice_of_others": of_others,
            "twice_numbers": self.twice[:NAMED],
            "out_of_order": account.disorder,
            "out_of_order_numbers": self.disordered[:NAMED],
            "ended_twice": account.both[:NAMED],
            "wrong": account.wrong[:NAMED],
            "renamed": account.renamed[:NAMED],
            "not_in_sqs": account.unmirrored[:NAMED],
            "failed_in_publishing": len(account.refused),
            "unseen_s": self.longest_unseen()[0][1] if self.unseen_s else None,
            "unseen_longest": self.longest_unseen()[:5],
            "uncommitted": dict(self.uncommitted),
        }


def look(
    pipeline: Pipeline, given: Sequence[int], uncounted: int, killed: Mapping[str, int], offsets: Offsets
) -> Findings:
    """Account for the numbers that were given, each at its epoch ms."""
    senders = pipeline.senders()
    arrived = [ledger.number_of(detail.get("timestamp")) for detail, _, _ in senders]
    account = pipeline.account(len(given))
    return Findings(
        account=account,
        uncounted=uncounted,
        skipped=skipped(account.lost, places(pipeline), offsets.committed_by_partition("raw")),
        twice=tuple(_twice(arrived)),
        repeated=ledger.repeated(senders, killed),
        disordered=tuple(ledger.disordered(arrived)),
        unseen_s=unseen(given, ends(pipeline)),
        uncommitted=offsets.behind(),
    )


def ends(pipeline: Pipeline) -> dict[int, int]:
    """Number → epoch ms of its first end, by the clock of the emulator, which never jumps."""
    sent = [(one["body"], int(one["system"]["SentTimestamp"])) for one in pipeline.messages()]
    return ledger.first_ends(pipeline.arrivals(), sent)


def unseen(given: Sequence[int], first: Mapping[int, int]) -> dict[int, float]:
    """Number → seconds between its being given and its first end."""
    return {number: max(0, end - given[number]) / 1000 for number, end in first.items() if 0 <= number < len(given)}


def skipped(lost: Iterable[int], found: Mapping[int, tuple[int, int]], committed: Mapping[int, int]) -> tuple[int, ...]:
    """Those of the lost that the group has committed as done."""
    known = [(number, found[number]) for number in lost if number in found]
    return tuple(number for number, (part, offset) in known if offset < committed.get(part, 0))


def places(pipeline: Pipeline) -> dict[int, tuple[int, int]]:
    """Number → partition and offset in `raw`."""
    found: dict[int, tuple[int, int]] = {}
    for message in pipeline.records("raw"):
        number = ledger.number_of(orjson.loads(message.value() or b"{}").get("createdTime"))
        found.setdefault(number, (message.partition() or 0, message.offset() or 0))
    return found


def _twice(arrived: Iterable[int]) -> list[int]:
    seen: set[int] = set()
    again: dict[int, None] = {}
    for number in arrived:
        if number in seen:
            again[number] = None
        seen.add(number)
    return list(again)
