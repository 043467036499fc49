"""This module lets numbered events flow at a steady pace, into `raw` or through Genesys."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import orjson
from confluent_kafka import Producer

from tests.kafka import ledger
from tests.kafka.pipeline import Pipeline, WaitedInVainError, wait_until

#: Puts one numbered event where the pipeline finds it, now or a little later.
Put = Callable[[int], None]

#: Ends when everything put is where it belongs; raises WaitedInVainError.
Flush = Callable[[], None]


@dataclass(slots=True)
class Flow:
    """`events` numbered events, `rate` of them a second, from a thread of its own."""

    put: Put
    flush: Flush
    events: int
    rate: float
    given: int = 0
    _error: BaseException | None = None
    _thread: threading.Thread = field(init=False)

    def start(self) -> None:
        """Begin with number 0."""
        self._thread = threading.Thread(target=self._run, name="flow", daemon=True)
        self._thread.start()

    def join(self, timeout: float) -> None:
        """Wait until all are given and taken, so long beyond their pace. Raises what kept them from being so."""
        timeout += (self.events - self.given) / self.rate
        self._thread.join(timeout)
        if self._error is not None:
            raise self._error
        if self._thread.is_alive():
            raise WaitedInVainError(f"only {self.given} of {self.events} events were taken in {timeout:.0f} s")

    def _run(self) -> None:
        began = time.monotonic()
        try:
            for number in range(self.events):
                early = began + number / self.rate - time.monotonic()
                if early > 0:
                    time.sleep(early)  # the pace
                self.put(number)
                self.given = number + 1
            self.flush()
        except BaseException as error:  # handed to whoever joins
            self._error = error


def into_raw(pipeline: Pipeline) -> tuple[Put, Flush]:
    """Write to `raw`: in order, each once (an idempotent producer), waiting out a Kafka that is away."""
    refused: list[object] = []
    producer = Producer(
        {
            "bootstrap.servers": pipeline.bootstrap_servers,
            "enable.idempotence": True,
            "linger.ms": 5,
            "reconnect.backoff.max.ms": 500,
            "log_level": 0,
        }
    )

    def put(number: int) -> None:
        producer.produce(
            f"{pipeline.prefix}raw",
            orjson.dumps(ledger.event(number)),
            ledger.interaction(number).encode(),
            on_delivery=lambda error, _: refused.append(error) if error else None,
        )
        producer.poll(0)

    def flush() -> None:
        if producer.flush(120) or refused:
            raise WaitedInVainError(f"Kafka did not take the events: {refused[:3]}")

    return put, flush


def through_genesys(genesys: str) -> tuple[Put, Flush]:
    """Let Genesys emit them into its HTTP stream; `genesys` is the emulator's URL."""
    client = httpx.Client(base_url=genesys, timeout=30)

    def is_queued(number: int) -> bool:
        answer = client.post("/_emulator/emit", json={"event": ledger.event(number)}).raise_for_status()
        return bool(answer.json()["receivers"])

    def put(number: int) -> None:
        wait_until("the subscription", lambda: is_queued(number))

    return put, client.close
