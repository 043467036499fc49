"""This module writes one test broker's configuration: KRaft, loopback, quick to notice failures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.kafka.certificates import Certificates

PLAIN_MODULE = "org.apache.kafka.common.security.plain.PlainLoginModule"
SCRAM_MODULE = "org.apache.kafka.common.security.scram.ScramLoginModule"
OAUTH_MODULE = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule"
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER")


@dataclass(frozen=True, slots=True)
class Ports:
    """Loopback ports of one broker; those of TLS are open only with security.

    `peers`: a listener for the other brokers alone, and `peers_are_told` where they find it, when that is elsewhere.
    """

    plaintext: int
    controller: int
    sasl_ssl: int
    ssl: int
    peers: int | None = None
    peers_are_told: int | None = None


@dataclass(frozen=True, slots=True)
class Security:
    """What the secured listeners accept: one user, and client certificates of one authority."""

    certificates: Certificates
    username: str
    password: str


def server_properties(
    node: int,
    all_ports: Sequence[Ports],
    folder: Path,
    *,
    partitions: int,
    security: Security | None,
    extra: Mapping[str, str],
) -> str:
    """The text of `server.properties` for the broker at index `node`; `extra` wins over everything here."""
    lines = {
        **_identity(node, all_ports, folder, secured=security is not None),
        **_replication(len(all_ports), partitions),
        **_timing(),
        **(_secured_listeners(security) if security else {}),
        **extra,
    }
    return "".join(f"{name}={value}\n" for name, value in lines.items())


def _identity(node: int, all_ports: Sequence[Ports], folder: Path, *, secured: bool) -> dict[str, str]:
    own = all_ports[node]
    public = {"PLAINTEXT": own.plaintext}
    if secured:
        public |= {"SASL_SSL": own.sasl_ssl, "SSL": own.ssl}
    told = dict(public)
    if own.peers is not None:
        public["PEERS"], told["PEERS"] = own.peers, own.peers_are_told or own.peers
    addresses = [f"{name}://127.0.0.1:{port}" for name, port in public.items()]
    protocols = [f"{name}:{'PLAINTEXT' if name == 'PEERS' else name}" for name in public]
    voters = ",".join(f"{i + 1}@127.0.0.1:{ports.controller}" for i, ports in enumerate(all_ports))
    return {
        "process.roles": "broker,controller",
        "node.id": str(node + 1),
        "controller.quorum.voters": voters,
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT" if own.peers is None else "PEERS",
        "listeners": ",".join([*addresses, f"CONTROLLER://127.0.0.1:{own.controller}"]),
        "advertised.listeners": ",".join(f"{name}://127.0.0.1:{port}" for name, port in told.items()),
        "listener.security.protocol.map": ",".join([*protocols, "CONTROLLER:PLAINTEXT"]),
        "log.dirs": str(folder / "data"),
    }


def _replication(brokers: int, partitions: int) -> dict[str, str]:
    replicas = str(min(brokers, 3))
    in_sync = "2" if brokers >= 3 else "1"
    return {
        "num.partitions": str(partitions),
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
        "offsets.topic.num.partitions": "3",
        "offsets.topic.replication.factor": replicas,
        "transaction.state.log.num.partitions": "3",
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.num.partitions": "3",
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": in_sync,
        # A topic that nobody made is a fault in the program, and should show as one.
        "auto.create.topics.enable": "false",
        "unclean.leader.election.enable": "false",
    }


def _timing() -> dict[str, str]:
    """Failures are noticed within about three seconds instead of ten."""
    return {
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
        "controller.quorum.election.timeout.ms": "1000",
        "controller.quorum.fetch.timeout.ms": "2000",
        "replica.lag.time.max.ms": "3000",
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        "controlled.shutdown.max.retries": "2",
    }


def _secured_listeners(security: Security) -> dict[str, str]:
    tls = {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(security.certificates.broker_file),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(security.certificates.authority_file),
    }
    jaas = {
        "plain": f'{PLAIN_MODULE} required user_{security.username}="{security.password}";',
        "scram-sha-256": f"{SCRAM_MODULE} required;",
        "scram-sha-512": f"{SCRAM_MODULE} required;",
        # Kafka's own handler for unsecured tokens (alg "none"); it exists for tests.
        "oauthbearer": f"{OAUTH_MODULE} required;",
    }
    return {
        **{f"listener.name.{name}.{key}": value for name in ("sasl_ssl", "ssl") for key, value in tls.items()},
        "listener.name.ssl.ssl.client.auth": "required",
        "listener.name.sasl_ssl.sasl.enabled.mechanisms": ",".join(MECHANISMS),
        **{f"listener.name.sasl_ssl.{name}.sasl.jaas.config": value for name, value in jaas.items()},
    }
