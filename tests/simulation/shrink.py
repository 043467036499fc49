"""This module makes a history that breaks a law smaller, for whoever has to read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from tests.simulation.plan import Plan

#: Histories that are tried at most.
TRIES = 400


def shrink(plan: Plan, breaks: Callable[[Plan], bool]) -> Plan:
    """A smaller history that still `breaks` the law: without steps and events that it does not take."""
    tries = 0
    smaller = True
    while smaller:
        smaller = False
        for candidate in _smaller(plan):
            tries += 1
            if tries > TRIES:
                return plan
            if breaks(candidate):
                plan, smaller = candidate, True
                break
    return plan


def _smaller(plan: Plan) -> Iterator[Plan]:
    """What is next to it: large cuts first."""
    steps = len(plan.steps)
    size = steps
    while size:
        for start in range(0, steps, size):
            yield replace(plan, steps=plan.steps[:start] + plan.steps[start + size :])
        size //= 2
    for number in range(len(plan.logs)) if len(plan.logs) > 1 else ():
        yield replace(plan, logs=_without(plan.logs, number), ends=_without(plan.ends, number),
                      committed=_without(plan.committed, number))  # fmt: skip
    for number, log in enumerate(plan.logs):
        for kept in (len(log) // 2, len(log) - 1):
            if 0 < kept < len(log) and plan.committed[number] <= log[kept - 1]:
                logs = (*plan.logs[:number], log[:kept], *plan.logs[number + 1 :])
                ends = (*plan.ends[:number], log[kept - 1] + 1, *plan.ends[number + 1 :])
                yield replace(plan, logs=logs, ends=ends)


def _without(items: tuple[Any, ...], number: int) -> tuple[Any, ...]:
    return items[:number] + items[number + 1 :]
