"""This module runs a real Apache Kafka on loopback: one broker or three, KRaft, with faults on request."""

import base64
import shutil
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from tests.kafka import administration
from tests.kafka.broker import Broker, free_ports
from tests.kafka.certificates import Certificates, make_certificates
from tests.kafka.properties import Ports, Security, server_properties

READY_TIMEOUT_S = 90.0


@dataclass(slots=True)
class KafkaCluster:
    """A context manager; brokers are counted from 0.

    With `security` each broker also listens for SASL over TLS and for mutual TLS; clients of the plain
    listener need neither. `port` fixes the plain listener of the first broker, `properties` are further
    broker settings. `peers`: for each broker the port where it listens for the others, and the one that they are
    told, so that something may stand between. Raises `KafkaUnavailableError` where Java or the jars are missing,
    `BrokerError` when a broker ends at start, `NotReadyError` when the cluster does not come up.
    """

    brokers: int = 1
    partitions: int = 4
    security: bool = False
    port: int | None = None
    heap_megabytes: int = 384
    properties: Mapping[str, str] = field(default_factory=dict)
    peers: Sequence[tuple[int, int]] = ()
    username: str = field(default="worker", init=False)
    password: str = field(default="worker-secret", init=False)
    _folder: Path = field(init=False, repr=False)
    _ports: list[Ports] = field(default_factory=list, init=False, repr=False)
    _nodes: list[Broker] = field(default_factory=list, init=False, repr=False)
    _certificates: Certificates | None = field(default=None, init=False, repr=False)

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="kafka-"))
        try:
            self._prepare()
            for node in self._nodes:
                node.start()
            self.wait_ready()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every broker and remove its data; nothing here is worth an orderly end."""
        for node in self._nodes:
            node.stop(kill=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def bootstrap_servers(self) -> str:
        """Addresses of the plain listeners."""
        return self._addresses("plaintext")

    @property
    def sasl_ssl_bootstrap(self) -> str:
        """Addresses that ask for SASL (PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER) over TLS."""
        return self._addresses("sasl_ssl")

    @property
    def ssl_bootstrap(self) -> str:
        """Addresses that ask for a client certificate."""
        return self._addresses("ssl")

    @property
    def certificates(self) -> Certificates:
        """The files of the secured listeners."""
        assert self._certificates is not None, "this cluster was made without security"
        return self._certificates

    @property
    def ca_file(self) -> Path:
        """The authority that the brokers' certificates are checked with."""
        return self.certificates.authority_file

    def log_file(self, index: int) -> Path:
        """The log of one broker."""
        return self._nodes[index].log_file

    def stop_broker(self, index: int, *, kill: bool = False) -> None:
        """End one broker, in order or (`kill`) at once; its data stays."""
        self._nodes[index].stop(kill=kill)

    def start_broker(self, index: int) -> None:
        """Start a broker that was stopped; `wait_ready` tells when it is back."""
        self._nodes[index].start()

    def freeze_broker(self, index: int) -> None:
        """Let one broker hang: connections stay open, nothing answers."""
        self._nodes[index].freeze()

    def thaw_broker(self, index: int) -> None:
        """End the hang."""
        self._nodes[index].thaw()

    def fill_disk(self, index: int) -> None:
        """Let every write of one broker fail; it ends itself for that, and may be started again."""
        self._nodes[index].fill_disk()

    def is_running(self, index: int) -> bool:
        """Whether one broker's process is there."""
        return self._nodes[index].running

    def leader(self, topic: str, partition: int) -> int:
        """Index of the broker that leads a partition."""
        return administration.leader(self.bootstrap_servers, topic, partition) - 1

    def wait_ready(self, *, timeout: float = READY_TIMEOUT_S) -> None:
        """Wait until the running brokers know of each other and, when all run, all replicas are in sync."""
        up = [node for node in self._nodes if node.running]
        administration.wait_for_brokers(self.bootstrap_servers, len(up), timeout=timeout, check=self._check)
        if len(up) == self.brokers:
            administration.wait_until_in_sync(self.bootstrap_servers, timeout=timeout)

    def create_topics(
        self,
        *names: str,
        partitions: int | None = None,
        replication: int | None = None,
        configuration: Mapping[str, str] | None = None,
    ) -> None:
        """Make topics with the cluster's defaults or these, and wait until they can be written."""
        administration.create_topics(
            self.bootstrap_servers,
            names,
            partitions=partitions or self.partitions,
            replication=replication or min(self.brokers, 3),
            configuration=configuration,
        )

    def _prepare(self) -> None:
        """Choose ports, write configurations and format the storage of all brokers at the same time."""
        numbers = iter(free_ports(4 * self.brokers))
        self._ports = [Ports(next(numbers), next(numbers), next(numbers), next(numbers)) for _ in range(self.brokers)]
        if self.port is not None:
            first = self._ports[0]
            self._ports[0] = Ports(self.port, first.controller, first.sasl_ssl, first.ssl)
        for index, (own, told) in enumerate(self.peers):
            self._ports[index] = replace(self._ports[index], peers=own, peers_are_told=told)
        security = self._make_security() if self.security else None
        self._nodes = [Broker(self._folder / str(index), self.heap_megabytes) for index in range(self.brokers)]
        for index, node in enumerate(self._nodes):
            node.folder.mkdir()
            text = server_properties(
                index,
                self._ports,
                node.folder,
                partitions=self.partitions,
                security=security,
                extra=self.properties,
            )
            node.properties_file.write_text(text)
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        with ThreadPoolExecutor() as pool:
            for done in [pool.submit(node.format_storage, cluster_id, self._scram()) for node in self._nodes]:
                done.result()

    def _make_security(self) -> Security:
        self._certificates = make_certificates(self._folder)
        return Security(self._certificates, self.username, self.password)

    def _scram(self) -> list[str]:
        if not self.security:
            return []
        user = f"[name={self.username},password={self.password}]"
        return [f"SCRAM-SHA-{bits}={user}" for bits in (256, 512)]

    def _check(self) -> None:
        for node in self._nodes:
            node.raise_if_ended()

    def _addresses(self, listener: str) -> str:
        return ",".join(f"127.0.0.1:{getattr(ports, listener)}" for ports in self._ports)
