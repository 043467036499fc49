"""This module is the process that runs routes: answers what they make of events, or tries them, or drafts of them.

The kernel ends it when one route takes too long over one event (SIGPROF, which stops even an engine that
never comes back to Python), and refuses it memory beyond its bound. Which event it was is the worker's to
find out. It ends when the worker has gone.
"""

from __future__ import annotations

import math
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from typing import IO, cast

import orjson

from processors.event.identity import SourceEvent
from processors.event.strict_json import JsonObject
from processors.routes.filter_index import RouteIndex
from processors.routes.outcome import Failed, Outcome
from processors.routes.route import Route, RouteTexts, compile_route
from processors.routes.routes import Routed, Routes, route_event
from streams.routes.sandbox import protocol
from streams.routes.sandbox.inside.drafts import Drafting
from streams.routes.sandbox.inside.limits import bound_process, silence_log
from streams.routes.sandbox.inside.route_trial import RouteTrial

#: Answers are sent when they have so many bytes, or after so many seconds, and at the end of the events.
FLUSH_BYTES = 65_536
FLUSH_S = 0.25


class ChildConnection:
    """The worker, at the other end of the socket that is the standard input."""

    def __init__(self) -> None:
        self._stream = cast("IO[bytes]", socket.socket(fileno=0).makefile("rwb", 262_144))

    def send(self, kind: bytes, body: bytes) -> None:
        self._stream.write(protocol.frame(kind, body))
        self._stream.flush()

    def read(self) -> tuple[bytes, bytes] | None:
        """Kind and body of the next frame; None when the worker has closed the socket."""
        head = self._stream.read(protocol.PREFIX.size)
        if len(head) < protocol.PREFIX.size:
            return None
        length, kind = protocol.prefix(head)
        body = self._stream.read(length)
        return (kind, body) if len(body) == length else None


class CpuBound:
    """Has the kernel end the process when a route takes more than `cpu_s` over an event.

    CPU time, not the clock's: a worker or machine that is frozen for a while makes no event a culprit. To arm it costs
    a system call, so it is armed with some to spare, and again before more than that can have been used of it.
    """

    def __init__(self, cpu_s: float) -> None:
        self._cpu_s, self._spare_s = cpu_s, min(0.05, cpu_s / 10)
        self._armed_at, self._cpu_then = -math.inf, 0.0

    def begin(self) -> None:
        """A route begins: it has at least `cpu_s`."""
        if time.monotonic() - self._armed_at > self._spare_s:
            self.arm()

    def arm(self) -> None:
        """Begin to count anew."""
        _arm(self._cpu_s + self._spare_s)
        self._armed_at, self._cpu_then = time.monotonic(), time.process_time()

    def off(self) -> None:
        """Nothing is worked on."""
        _arm(0)
        self._armed_at = -math.inf

    def used_s(self) -> float:
        """CPU seconds of the route that was begun last, or a few more."""
        return time.process_time() - self._cpu_then


class RetriedRoute:
    """A route that is tried again when the clock ran out on it, not its CPU time: the machine stood still."""

    def __init__(self, route: Route, timeout_s: float, bound: CpuBound) -> None:
        self.name = route.name
        self.demands = route.demands
        self._route, self._timeout_s, self._bound = route, timeout_s, bound

    def apply(self, event: SourceEvent) -> Outcome:
        """As the route does. The engines' own bounds go by the clock (processors/routes/jsonata/expressions.py)."""
        outcome = self._route.apply(event)
        timed_out = isinstance(outcome, Failed) and outcome.error in ("FilterTimeout", "MappingTimeout")
        if timed_out and self._bound.used_s() < self._timeout_s / 2:
            self._bound.arm()
            return self._route.apply(event)
        return outcome


class Mapping:
    """The routes and their bounds, at work."""

    def __init__(
        self, connection: ChildConnection, routes: RouteIndex[RetriedRoute], bound: CpuBound, max_bytes: int
    ) -> None:
        self._connection, self._routes, self._bound, self._max_bytes = connection, routes, bound, max_bytes

    def serve(self) -> None:
        """Answer until the worker has gone."""
        while (frame := self._connection.read()) is not None:
            raws, careful = protocol.read_events(frame[1])
            begin = self._begin_carefully if careful else self._begin
            self._bound.arm()
            found: list[Routed] = []
            size, last = 0, time.monotonic()
            for raw in raws:
                self._bound.begin()
                found.append(route_event(self._routes, raw, self._max_bytes, begin))
                size += sum(len(getattr(one, "value", b"")) + 200 for one in found[-1].outcomes)
                if careful or size > FLUSH_BYTES or time.monotonic() - last > FLUSH_S:
                    self._connection.send(protocol.ANSWERS, protocol.answers(found))
                    found, size, last = [], 0, time.monotonic()
            if found:
                self._connection.send(protocol.ANSWERS, protocol.answers(found))
            self._bound.off()

    def _begin(self, route: str) -> None:
        self._bound.begin()

    def _begin_carefully(self, route: str) -> None:
        self._connection.send(protocol.ROUTE, route.encode())
        self._bound.arm()


def main() -> None:
    """Do what the worker asks for first: map or try drafts until it has gone, or try routes once."""
    # The worker is what is asked to stop: it drains first, and closes the socket when it is done.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGPROF})
    connection = ChildConnection()
    frame = connection.read()
    if frame is None:
        return
    kind, body = frame
    start = orjson.loads(body)
    texts = [protocol.read_texts(one) for one in start.get("routes", ())]
    try:
        if kind == protocol.TRIAL:
            _try(connection, texts, start)
        elif kind == protocol.DRAFTS:
            _draft(connection, start)
        else:
            _map(connection, texts, start)
    except MemoryError:
        os._exit(protocol.EXIT_MEMORY)  # at once: to end in order may need memory as well


def _map(connection: ChildConnection, texts: Sequence[RouteTexts], start: JsonObject) -> None:
    timeout_s = start["timeout_s"]
    compiled = Routes(compile_route(one, int(timeout_s * 1000)) for one in texts)
    # A little later than the engines, which notice most of what takes too long without ending the process.
    bound = CpuBound(timeout_s * 1.25)
    routes = RouteIndex(RetriedRoute(route, timeout_s, bound) for route in compiled)
    bound_process(start["memory_bytes"])
    connection.send(protocol.READY, b"")
    silence_log()
    Mapping(connection, routes, bound, start["max_bytes"]).serve()


def _try(connection: ChildConnection, texts: Sequence[RouteTexts], start: JsonObject) -> None:
    silence_log()
    bound_process(start["memory_bytes"])
    trial = RouteTrial(start["timeout_s"], connection.send, _arm)
    for one in texts:
        trial.run(one)


def _draft(connection: ChildConnection, start: JsonObject) -> None:
    silence_log()
    bound_process(start["memory_bytes"])
    drafting = Drafting(start["timeout_s"], start["max_bytes"], connection.send, _arm)
    connection.send(protocol.READY, b"")
    while (frame := connection.read()) is not None:
        drafting.answer(frame[1])


def _arm(cpu_s: float) -> None:
    signal.setitimer(signal.ITIMER_PROF, cpu_s)


if __name__ == "__main__":
    try:
        main()
    except (BrokenPipeError, ConnectionResetError):
        sys.exit(0)
