"""This module is what operators did: pauses, resumes, redrives and the like, and which stages are paused by it.

All actions stand in one partition, so the latest word on a stage is the last one read, whatever clocks say.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson

from processors.event.formats import EPOCH, MAX_EPOCH_MS, time_text
from processors.event.strict_json import object_or_empty
from processors.replay.period import Period

#: Stages that can be paused. The metrics stage cannot: without it nobody would see that the others are.
PAUSABLE = ("source", "process", "sink", "failures")

#: What is recorded.
KINDS = ("pause", "resume", "redrive", "replay", "backfill", "acknowledge")

#: Actions that are remembered, and most characters of a text: anybody may write to the topic.
MAX_ACTIONS, MAX_TEXT = 1_000, 500


@dataclass(frozen=True, slots=True)
class Action:
    """What somebody did; `detail`: what was meant, in words.

    `stage`: of a pause or a resume; a resume without one is of what paused by itself, as most events failed.
    """

    at_ms: int
    who: str
    what: str
    stage: str | None = None
    detail: str = ""

    def encode(self) -> bytes:
        """The record's value."""
        return orjson.dumps(
            {"at": self.at_ms, "who": self.who, "what": self.what, "stage": self.stage, "detail": self.detail}
        )

    def as_json(self) -> dict[str, Any]:
        """The action as it is shown."""
        stage = {"stage": self.stage} if self.stage is not None else {}
        return {"at": self.at, "who": self.who, "what": self.what, **stage, "detail": self.detail}

    @property
    def at(self) -> str:
        """When, in ISO 8601."""
        return time_text(EPOCH + timedelta(milliseconds=self.at_ms), "seconds")

    def __str__(self) -> str:
        """In words."""
        return " ".join(part for part in (self.what, self.stage, f"by {self.who}", self.detail) if part)


def action(at_ms: int, who: str, what: str, *, stage: str | None = None, detail: str = "") -> Action:
    """An action whose texts are cut where they are too long to be kept."""
    return Action(at_ms, who[:MAX_TEXT], what, stage, detail[:MAX_TEXT])


def read_action(value: bytes | None) -> Action | None:
    """The action that a record tells of; None for anything else."""
    content = object_or_empty(value)
    at_ms, who, what = (content.get(name) for name in ("at", "who", "what"))
    stage, detail = content.get("stage"), content.get("detail", "")
    texts = all(isinstance(text, str) and len(text) <= MAX_TEXT for text in (who, detail))
    if type(at_ms) is not int or abs(at_ms) >= MAX_EPOCH_MS or what not in KINDS or not texts:
        return None
    needs_stage, may_have_stage = what == "pause", what in ("pause", "resume")
    if (stage in PAUSABLE and may_have_stage) or (stage is None and not needs_stage):
        return Action(at_ms, str(who), str(what), stage, str(detail))
    return None


class Actions:
    """The actions that were read, in order."""

    def __init__(self, read: Iterable[Action] = ()) -> None:
        self._known: deque[Action] = deque(maxlen=MAX_ACTIONS)
        #: Stage → by which pause it is paused now.
        self.paused: dict[str, Action] = {}
        for one in read:
            self.add(one)

    def add(self, one: Action) -> None:
        """Note the next one. A stage that is paused already stays paused by who did it first."""
        self._known.append(one)
        if one.what == "pause" and one.stage is not None:
            self.paused.setdefault(one.stage, one)
        elif one.what == "resume" and one.stage is not None:
            self.paused.pop(one.stage, None)

    def during(self, asked: Period | None = None) -> list[Action]:
        """Those of a time, newest first."""
        return [one for one in reversed(self._known) if asked is None or asked.since <= one.at_ms < asked.until]


def pause_in_words(pause: Action) -> str:
    """Why a stage stands still."""
    reason = f" ({pause.detail})" if pause.detail else ""
    return f"paused by {pause.who} since {pause.at}{reason}; `genesys-eventbridge resume {pause.stage}` lets it go on"
