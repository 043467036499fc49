"""What `topics apply` refuses before it asks Kafka anything, and that it says so where no Kafka answers."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--partitions", "raw"], "is no number of partitions"),
        (["--partitions", "raw=0"], "is no number of partitions"),
        (["--partitions", "raw=many"], "is no number of partitions"),
        (["--partitions", "other=3"], "'other' is none of sources, raw"),
        (["--partitions", "metrics=8"], "the sums of the tables are in one partition"),
        (["--retention", "raw=14"], "is no age"),
        (["--retention", "raw=2026-11-25"], "is no age"),
        (["--retention", "raw=0s"], "keeps nothing"),
        (["--retention", "raw=1d", "--retention", "raw=2d"], "--retention is given twice"),
        (["--partitions", "raw=7", "--partitions", "raw=8"], "--partitions is given twice"),
        ([], "no Kafka broker answers"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_cannot_be_is_refused(invoke, arguments, says):
    result = invoke("topics", "apply", *arguments)
    assert result.exit_code == 2
    assert says in " ".join(result.stderr.split())
    assert result.stdout == ""
