"""A log with holes, as a transactional producer leaves them: every event is taken, and the commits pass the holes."""

from __future__ import annotations

from pathlib import Path

import orjson
from confluent_kafka import Producer

from tests.kafka import ledger
from tests.kafka.faults.offsets import offsets_of
from tests.kafka.pipeline import Pipeline
from tests.kafka.worker import wait_until

TRANSACTIONS, EACH = 12, 25


def test_events_of_a_transactional_producer_are_all_taken_and_committed(kafka, tmp_path: Path):
    with Pipeline(kafka.bootstrap_servers, tmp_path) as pipeline:
        pipeline.start()
        producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, "transactional.id": pipeline.prefix})
        producer.init_transactions(30)
        for first in range(0, TRANSACTIONS * EACH, EACH):
            producer.begin_transaction()
            for number in range(first, first + EACH):
                key = ledger.interaction(number).encode()
                producer.produce(f"{pipeline.prefix}raw", orjson.dumps(ledger.event(number)), key)
            producer.commit_transaction(30)
        account = pipeline.settled(TRANSACTIONS * EACH)
        assert account.clean, account
        with offsets_of(pipeline) as offsets:
            assert offsets.end("raw") > TRANSACTIONS * EACH, "there are no holes to pass"
            wait_until("every offset to be committed", lambda: not offsets.behind())
