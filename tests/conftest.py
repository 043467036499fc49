"""This module sets the environment before anything imports the app, which reads it only once."""

import os
import tempfile

import pytest
from hypothesis import settings as hypothesis_settings
from xdist.scheduler import LoadFileScheduling

# Names that would reach outside, or make the tests depend on the desk they run at.
FOREIGN = ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "DLQ_QUEUE_URL", "ROUTES_DIR", "WEB_TOKEN")

ENVIRONMENT = {
    "GENESYS_SOURCE": "none",
    "AWS_ACCESS_KEY_ID": "AKIATEST",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "eu-west-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "DATA_DIR": tempfile.mkdtemp(prefix="genesys-eventbridge-tests-"),
}

for name in FOREIGN:
    os.environ.pop(name, None)
os.environ.update(ENVIRONMENT)

# The tests on real Kafka look for the operator's own cluster in this name, so the app alone gets another one.
with pytest.MonkeyPatch.context() as patch:
    patch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    import streams.app  # noqa: F401

hypothesis_settings.register_profile("desk", max_examples=40, deadline=None)
hypothesis_settings.register_profile("ci", max_examples=40, deadline=None, derandomize=True, database=None)
hypothesis_settings.load_profile("ci" if os.environ.get("CI") else "desk")


class ByFile(LoadFileScheduling):
    """Gives each process whole files, as `--dist loadfile` does, and the pages' tests to one: they share a pipeline.

    Files come in the order of their folders, so those that run whole workers begin, and unit tests fill what is left.
    """

    def _split_scope(self, nodeid: str) -> str:
        return "tests/e2e" if nodeid.startswith("tests/e2e/") else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadFileScheduling:
    """See pytest-xdist's docs, "How it works"."""
    config.option.loadscopereorder = False
    return ByFile(config, log)
