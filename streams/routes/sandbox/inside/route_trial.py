"""This module compiles a route and runs its examples within bounds, in the process that runs routes.

It says what it begins, and what came of the route: when the process ends over it, the last word names the culprit.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import orjson

from processors.event.errors import RouteError
from processors.routes.examples import failing_examples
from processors.routes.route import RouteTexts, compile_route
from streams.routes.sandbox import protocol

#: CPU seconds to compile the filter, mapping and schema of a route.
COMPILE_S = 30.0

#: Characters of what is said.
MAX_SAID = 1_000


class RouteTrial:
    """One route after the other. `say` sends a frame, `arm` sets the CPU seconds until the kernel ends the process."""

    #: What all evaluations of a route's examples may take, in times of what one may, and seconds of CPU beside it.
    times, floor_s = 5, 5.0

    def __init__(self, timeout_s: float, say: Callable[[bytes, bytes], None], arm: Callable[[float], None]) -> None:
        self._timeout_s, self._say, self._arm = timeout_s, say, arm
        self._ends = 0.0

    def run(self, texts: RouteTexts) -> None:
        """Compile one and run its examples, and say what came of it."""
        self._ends = time.process_time() + self.times * self._timeout_s + self.floor_s
        self._say(protocol.ROUTE, texts.name.encode())
        self._arm(COMPILE_S)
        verdict = self._try(texts)
        self._arm(0)
        self._say(protocol.VERDICT, orjson.dumps(verdict))

    def _try(self, texts: RouteTexts) -> dict[str, Any]:
        try:
            route = compile_route(texts, int(self._timeout_s * 1000))
            failing = failing_examples(route, self._begin)
        except RouteError as error:
            return {"wrong": str(error)[:MAX_SAID]}
        if not failing:
            return {"engine": route.engine, "engine_reason": route.engine_reason[:MAX_SAID]}
        example, mismatch = failing[0]
        more = f", and {len(failing) - 1} more" if len(failing) > 1 else ""
        return {"wrong": f"example {example.name} does not hold: {mismatch[:MAX_SAID]}{more}", "failing": True}

    def _begin(self, example: str) -> None:
        if time.process_time() > self._ends:
            raise RouteError(f"its examples took more than {self.times * self._timeout_s + self.floor_s:g} s in all")
        self._say(protocol.EXAMPLE, example.encode())
        # A little later than the engines, which notice most of what takes too long without ending the process.
        self._arm(self._timeout_s * 1.25)
