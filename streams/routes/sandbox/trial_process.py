"""This module is the process that compiles routes and runs their examples, once, for who decides on them.

It says what it begins, and what came of each route, a line of JSON each: when it ends over a route, the last
line names the culprit. The kernel bounds CPU time and memory, as for the mapping process.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any

import orjson

from processors.event.errors import RouteError
from processors.event.strict_json import JsonObject
from processors.routes.examples import failing_examples
from processors.routes.route import RouteTexts, compile_route
from streams.routes.sandbox import protocol
from streams.routes.sandbox.limits import bound_process, silence_log

#: CPU seconds to compile the filter, mapping and schema of a route.
COMPILE_S = 30.0

#: What all evaluations of a route's examples may take, in times of what one may, and seconds of CPU beside it.
TIMES, FLOOR_S = 5, 5.0

#: Characters of what is told.
MAX_TOLD = 1_000


class Trial:
    """One route after the other, each within its bounds."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._name = ""
        self._ends = 0.0

    def run(self, texts: RouteTexts) -> None:
        """Compile one and run its examples, and say what came of it."""
        self._name = texts.name
        self._ends = time.process_time() + TIMES * self._timeout_s + FLOOR_S
        _say({"route": texts.name})
        _arm(COMPILE_S)
        found = self._try(texts)
        _arm(0)
        _say({"route": texts.name, **{key: value[:MAX_TOLD] for key, value in found.items()}})

    def _try(self, texts: RouteTexts) -> dict[str, str]:
        try:
            route = compile_route(texts, int(self._timeout_s * 1000), self._begin)
            failing = failing_examples(route, self._begin)
        except RouteError as error:
            return {"wrong": str(error)}
        if not failing:
            return {"engine": route.engine, "reason": route.engine_reason}
        example, mismatch = failing[0]
        more = f", and {len(failing) - 1} more" if len(failing) > 1 else ""
        return {"failing": f"example {example.name} does not hold: {mismatch[:MAX_TOLD]}{more}"}

    def _begin(self, example: str) -> None:
        if time.process_time() > self._ends:
            raise RouteError(f"its examples took more than {TIMES * self._timeout_s + FLOOR_S:g} s in all")
        _say({"route": self._name, "example": example})
        # A little later than the engines, which notice most of what takes too long without ending the process.
        _arm(self._timeout_s * 1.25)


def main() -> None:
    """Try the routes that the standard input names."""
    start: JsonObject = orjson.loads(sys.stdin.buffer.read())
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGPROF})
    silence_log()
    bound_process(start["memory_bytes"])
    trial = Trial(start["timeout_s"])
    try:
        for told in start["routes"]:
            trial.run(protocol.read_texts(told))
    except MemoryError:
        os._exit(protocol.EXIT_MEMORY)  # at once: to end in order may need memory as well


def _arm(cpu_s: float) -> None:
    signal.setitimer(signal.ITIMER_PROF, cpu_s)


def _say(told: dict[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(told) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        os._exit(0)  # who asked has gone
