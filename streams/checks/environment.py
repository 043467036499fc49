"""This module looks for settings that nobody reads: a name mistyped is a default kept without a word."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

from settings import Settings
from settings.files import SUFFIX
from streams.checks.finding import Finding

#: Beginnings that are ours alone: whatever has them was meant for us.
OURS = ("GENESYS_", "EVENTBRIDGE_", "EVENTBUS_", "DLQ_")

#: How alike two names must be for one to be meant by the other (difflib's ratio); of ours alone any is told.
ALIKE = 0.8

#: What Kubernetes puts into every container for a Service: `…_SERVICE_HOST`, `…_PORT_6066_TCP_ADDR`.
_OF_KUBERNETES = re.compile(r".*_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?)")

#: Of the SDKs of AWS and OpenTelemetry, Kafka's own scripts and Python, and near to names of ours.
_OF_OTHERS = ("AWS_", "OTEL_", "KAFKA_OPTS", "KAFKA_HEAP_OPTS", "KAFKA_HOME", "KAFKA_LOG_DIRS", "LOG_DIR")


def check_environment(environment: Mapping[str, str]) -> list[Finding]:
    """A finding for each name of the families of ours that no setting has."""
    known = [name.upper() for name in Settings.model_fields]
    families = {f"{name.partition('_')[0]}_" for name in known}
    found = []
    for name in sorted(environment):
        upper = name.upper()
        if upper.removesuffix(SUFFIX) in known or upper.startswith(_OF_OTHERS) or not upper.startswith(tuple(families)):
            continue
        if _OF_KUBERNETES.fullmatch(upper):
            continue
        near = difflib.get_close_matches(upper, known, n=1, cutoff=ALIKE)
        if near or upper.startswith(OURS):
            fix = f"write {near[0]}" if near else "remove it, or look for its name in docs/settings.md"
            found.append(Finding(f"setting {name}", True, "no setting has this name", fix))
    return found
