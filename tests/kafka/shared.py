"""This module gives all processes of a test run one Kafka: the first that asks starts and ends it."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import psutil

from tests.kafka.cluster import KafkaCluster
from tests.kafka.outside import OutsideKafka


@contextmanager
def shared(
    folder: Path, start: Callable[[], AbstractContextManager[KafkaCluster]]
) -> Iterator[KafkaCluster | OutsideKafka]:
    """The Kafka of the processes that meet in `folder`, where each leaves its process id as long as it uses it."""
    folder.mkdir(exist_ok=True)
    address, user = folder / "address", folder / f"{os.getpid()}.user"
    with ExitStack() as stack:
        kafka: KafkaCluster | OutsideKafka
        with _lock(folder):
            if is_first := not address.exists():
                kafka = stack.enter_context(start())
                address.write_text(kafka.bootstrap_servers)
            else:
                kafka = OutsideKafka(address.read_text())
            user.touch()
        try:
            yield kafka
        finally:
            user.unlink()
            while is_first and not _is_left(folder, address):
                time.sleep(0.2)  # between two looks


def _is_left(folder: Path, address: Path) -> bool:
    """Whether nobody uses it any more; who asks from now on starts one anew."""
    with _lock(folder):
        if any(psutil.pid_exists(int(user.stem)) for user in folder.glob("*.user")):
            return False
        address.unlink()
        return True


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
