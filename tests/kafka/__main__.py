"""This module runs a real Kafka on 127.0.0.1 until Ctrl-C: `python -m tests.kafka`."""

import argparse
import signal
import sys

from tests.kafka.broker import BrokerError
from tests.kafka.cluster import KafkaCluster
from tests.kafka.distribution import KafkaUnavailableError, version

WORDS = """Apache Kafka {version} answers on {address}; its data goes when it ends (Ctrl-C).
Run a worker on it:
    KAFKA_BOOTSTRAP_SERVERS={address} KAFKA_REPLICATION_FACTOR={replicas} genesys-eventbridge worker
Run the tests on it:
    KAFKA_BOOTSTRAP_SERVERS={address} make test"""


def main() -> int:
    """Serve; exit code 1 when Kafka cannot run here."""
    parser = argparse.ArgumentParser(prog="python -m tests.kafka", description=__doc__)
    parser.add_argument("--port", type=int, default=9092, help="port of the first broker (9092)")
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=1, help="how many brokers")
    options = parser.parse_args()
    # A supervisor's stop is a Ctrl-C too, and who started this in the background may have had Ctrl-C ignored.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    cluster = KafkaCluster(brokers=options.brokers, port=options.port)
    try:
        with cluster:
            words = WORDS.format(version=version(), address=cluster.bootstrap_servers, replicas=min(options.brokers, 3))
            print(words, flush=True)
            signal.pause()
    except KeyboardInterrupt:
        return 0
    except (KafkaUnavailableError, BrokerError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
