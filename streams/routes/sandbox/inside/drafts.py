"""This module tries drafts of routes, in the process that runs routes; it says each step before it begins.

When the process ends over a step, the last one that it said names the culprit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import orjson

from processors.event.errors import MalformedEventError
from processors.event.identity import event_of_bytes
from processors.event.strict_json import JsonObject
from processors.routes.draft import Draft, DraftPart, DraftTrial
from processors.routes.outcome import Failed
from streams.routes.sandbox import protocol

#: CPU seconds to compile one text: who edits does not wait as long as a worker's start.
COMPILE_S = 5.0


class Drafting:
    """`say` sends a frame, `arm` sets the CPU seconds until the kernel ends the process."""

    def __init__(
        self, timeout_s: float, max_bytes: int, say: Callable[[bytes, bytes], None], arm: Callable[[float], None]
    ) -> None:
        self._timeout_s, self._max_bytes, self._say, self._arm = timeout_s, max_bytes, say, arm

    def answer(self, body: bytes) -> None:
        """Try the draft of a DRAFT frame, and say what came of it."""
        asked = orjson.loads(body)
        found = self._tried(asked)
        self._arm(0)
        written = orjson.dumps(found)
        if len(written) > self._max_bytes:
            found |= {"transformedEvent": None, "message": f"the mapped event has {len(written)} bytes"}
            written = orjson.dumps(found | {"outcome": "failed", "stage": "transform", "error": "EntryTooLarge"})
        self._say(protocol.TRIED, written)

    def _tried(self, asked: JsonObject) -> JsonObject:
        try:
            event = event_of_bytes(asked["event"].encode(), asked["event_id"], asked["received_at"])
        except MalformedEventError as error:
            return {"outcome": "failed", "errors": [], "transformedEvent": None, **Failed.of(error).as_json()}
        return DraftTrial(Draft(**asked["draft"]), event, int(self._timeout_s * 1000), self._begin).run()

    def _begin(self, part: DraftPart, step: Literal["compile", "evaluate"]) -> None:
        self._say(protocol.STEP, orjson.dumps([part, step]))
        # A little later than the engines, which notice most of what takes too long without ending the process; where
        # one stopped, the other engine looks once more.
        self._arm(COMPILE_S if step == "compile" else self._timeout_s * 3)
