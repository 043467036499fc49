"""This module looks from outside whether a fault did what its case says: a fault that misses proves nothing."""

from __future__ import annotations

from confluent_kafka import ConsumerGroupState, Producer

from tests.kafka.administration import admin
from tests.kafka.faults.offsets import Offsets, offsets_of
from tests.kafka.faults.scene import Scene, hold
from tests.kafka.worker import WaitedInVainError, Worker, wait_until

#: Seconds in which a living worker surely commits (it does so once a second).
COMMITS_S = 3.0


def struck(scene: Scene, rules: int = 1) -> None:
    """Require that AWS faults struck, each of `rules` of them, and note how often."""
    times = scene.pipeline.inspect("summary")["faults"]
    if len(times) < rules:
        raise WaitedInVainError(f"only {sorted(times)} of {rules} faults struck")
    for rule, count in times.items():
        scene.proven(f"× {rule}", count)


def unready(scene: Scene, part: str, *words: str) -> None:
    """Wait until every worker says that it is not ready because of this part, with these words in the reason."""

    def said(worker: Worker) -> bool:
        answer = worker.get("/health/ready")
        if answer is None or answer.status_code != 503:
            return False
        reason = str(answer.json()["troubles"].get(part, {}).get("reason", ""))
        return all(word in reason for word in words)

    for worker in scene.workers:
        wait_until(f"{worker.name} to say of {part}: {', '.join(words)}", lambda worker=worker: said(worker), 30)


def members(scene: Scene) -> int:
    """How many workers Kafka counts in the group; 0 while it gives partitions away."""
    group = f"{scene.pipeline.prefix}eventbridge"
    client = admin(scene.cluster.bootstrap_servers)  # held: a client that is gone never answers its futures
    found = client.describe_consumer_groups([group], request_timeout=10)[group].result(20)
    return len(found.members) if found.state is ConsumerGroupState.STABLE else 0


def given_away(scene: Scene) -> None:
    """Wait until Kafka has given all partitions to the one worker that it still hears of."""
    wait_until("the partitions to be given away", lambda: members(scene) == 1, 45)
    scene.notes.append("its partitions were given away")


def unanswered(scene: Scene) -> int:
    """Entries that EventBridge has stored, and of which no worker has heard."""
    requests = scene.pipeline.inspect("requests")["requests"]
    return sum(request["accepted"] for request in requests if request["fault"] == "hang_stored")


def sent_and_uncommitted(scene: Scene) -> int:
    """Events that are in `validated` while their offset in `raw` is not committed, where nobody commits any more.

    While a worker's commits are held, and right after it was killed: Kafka has not noticed yet, and the other workers
    go on with their own partitions.
    """
    with offsets_of(scene.pipeline) as offsets:
        still = _stalled(offsets)
    sent = {_origin(dict(message.headers() or [])) for message in scene.pipeline.records("validated")}
    return sum(partition in still and offset >= still[partition] for partition, offset in sent)


def at_rest(scene: Scene, seconds: float) -> None:
    """Let the fault go on so long, and require that nothing arrives on the bus meanwhile."""
    before = scene.pipeline.on_bus()
    hold(seconds)
    arrived = scene.pipeline.on_bus() - before
    if arrived:
        raise WaitedInVainError(f"the fault did not strike: {arrived} entries arrived on the bus meanwhile")
    scene.notes.append(f"nothing arrived for {seconds:g} s")


def wait_for_writes(scene: Scene, topic: str) -> None:
    """Wait until every partition of a topic takes a write on enough replicas: until then the fault lasts.

    The metadata of brokers that have just started is of before their end, and says that all is in sync.
    """
    settings = {"bootstrap.servers": scene.cluster.bootstrap_servers, "acks": "all", "message.timeout.ms": 120_000}
    producer, refused = Producer(settings), []
    for partition in range(scene.cluster.partitions):
        producer.produce(topic, b"", partition=partition, on_delivery=lambda error, _: refused.append(error))
    if producer.flush(120) or any(refused):
        raise WaitedInVainError(f"{topic} takes no writes: {refused}")


def _stalled(offsets: Offsets) -> dict[int, int]:
    """Partition of `raw` → what is committed of it, of those that nobody commits."""
    before = offsets.committed_by_partition("raw")
    hold(COMMITS_S)
    return {part: offset for part, offset in offsets.committed_by_partition("raw").items() if before[part] == offset}


def _origin(headers: dict[str, bytes]) -> tuple[int, int]:
    _, partition, offset = headers["origin"].decode().rsplit("/", 2)
    return int(partition), int(offset)
