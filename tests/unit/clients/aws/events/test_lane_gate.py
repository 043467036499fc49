"""Tests of the gate before a bus: what closes it, and what outlasts what."""

import pytest

from clients.aws.events.eventbridge import Accepted, Outage, RefusedEntry, Suspect
from clients.aws.events.lane_gate import LaneGate, LaneState
from processors.delivery.refusals import RefusalLimits, RefusalWindow

REFUSED = RefusedEntry("MalformedDetail", "it is no JSON")


class Gate(LaneGate):
    """Of a window that two refusals fill, without chance and on a clock that stands; `said`: its troubles."""

    def __init__(self):
        self.said = []
        limits = RefusalLimits(share=0.5, least=2, window_s=60.0)
        super().__init__(RefusalWindow(limits), self.said.append, lambda: 0.0, lambda: 0.0)


CLOSING = {
    LaneState.OUTAGE: lambda gate: gate.note([Outage("no answer")]),
    LaneState.SUSPECTING: lambda gate: gate.note([Suspect("AccessDenied", "not you")]),
    LaneState.PAUSED: lambda gate: [gate.may_fail(REFUSED) for _ in range(2)],
    LaneState.GONE: lambda gate: gate.gone("no such bus"),
}


@pytest.mark.parametrize("state", CLOSING)
async def test_what_closes_it_is_said_and_ends_with_what_ends_it(state):
    gate = Gate()
    CLOSING[state](gate)
    assert gate.state is state
    assert gate.said[-1]
    if state is LaneState.GONE:
        gate.note([Accepted("1")])  # EventBridge answers success for a bus that is gone
        assert gate.state is LaneState.GONE
        gate.back()
    else:
        gate.note([Accepted("1")])
    assert gate.is_open
    assert gate.said[-1] is None


async def test_a_pause_outlasts_an_outage_and_a_bus_that_is_gone_both():
    gate = Gate()
    CLOSING[LaneState.PAUSED](gate)
    CLOSING[LaneState.OUTAGE](gate)
    assert gate.state is LaneState.PAUSED
    CLOSING[LaneState.GONE](gate)
    CLOSING[LaneState.OUTAGE](gate)
    assert gate.state is LaneState.GONE


@pytest.mark.parametrize("state", CLOSING)
async def test_an_operator_opens_what_waits_for_one(state):
    waits = state in (LaneState.SUSPECTING, LaneState.PAUSED)
    gate = Gate()
    CLOSING[state](gate)
    assert gate.resume() is waits
    assert gate.is_open is gate.lets_fail is waits


async def test_a_probe_is_due_at_once_without_a_back_off_and_says_what_is_to_be_asked():
    gate = Gate()
    CLOSING[LaneState.OUTAGE](gate)
    assert await gate.next_probe() is LaneState.OUTAGE
    gate.note([Accepted("1")])
    assert await gate.next_probe() is LaneState.OPEN
