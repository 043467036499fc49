"""This module tests what failures are put together by."""

from __future__ import annotations

import pytest

from processors.replay.clusters import FailureCluster, cluster_of, is_under


@pytest.mark.parametrize(
    ("paths", "told"),
    [
        ([], ""),
        (["b", "a", "b"], "a, b"),
        (["e", "d", "c", "b", "a"], "a, b, c, and 2 more"),
    ],
)
def test_violated_paths_are_part_of_a_cluster(paths, told):
    record = {
        "stage": "validate",
        "error": "SchemaViolation",
        "route": "r",
        "details": [{"path": one} for one in paths],
    }
    assert cluster_of(record) == FailureCluster("validate", "SchemaViolation", "r", told)


@pytest.mark.parametrize("record", [{}, {"details": None, "route": None}, {"details": [1, {"path": None}]}])
def test_what_tells_nothing_has_empty_names(record):
    assert cluster_of(record) == FailureCluster("", "", "", "")


@pytest.mark.parametrize(
    ("path", "wanted", "under"),
    [("a.b", "a.b", True), ("a.b.c", "a.b", True), ("a[0]", "a", True), ("ab", "a", False), ("a", "a.b", False)],
)
def test_a_path_takes_in_what_is_inside_it(path, wanted, under):
    assert is_under(path, wanted) is under
