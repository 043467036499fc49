"""This module tests the mix of stream events against the rule of the shipped interaction route."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.genesys.event_stream.events import FLAWS, Event, Flaw, GeneratedEvent, Shares, generate


def passes_filter(event: Event) -> bool:
    payload = event["payload"]
    assert isinstance(payload, dict)
    return payload.get("priority") == "high" or "priority" in payload["routing"]["queue"]["name"].lower()


def is_sound(event: Event) -> bool:
    payload = event["payload"]
    assert isinstance(payload, dict)
    try:
        UUID(str(event["id"]))
        datetime.fromisoformat(str(event["createdTime"]))
    except ValueError:
        return False
    return isinstance(event["id"], str) and "T" in str(event["createdTime"]) and "priority" in payload


@settings(max_examples=20, deadline=None)
@given(seed=st.integers())
def test_every_kind_meets_the_fate_it_names(seed: int) -> None:
    for kind, passes, sound in [("match", True, True), ("filtered", False, True), ("invalid", True, False)]:
        shares = Shares(**{name: float(name == kind) for name in ("match", "filtered", "invalid")})
        for generated in generate(20, seed, shares):
            assert generated.kind == kind
            assert (passes_filter(generated.event), is_sound(generated.event)) == (passes, sound), generated


def test_default_shares_are_sixty_thirty_ten() -> None:
    counts = Counter(generated.kind for generated in generate(10_000))
    assert [round(counts[kind] / 1_000) for kind in ("match", "filtered", "invalid")] == [6, 3, 1]


def test_same_seed_gives_same_events_and_another_gives_others() -> None:
    assert list(generate(50, 7)) == list(generate(50, 7))
    assert list(generate(50, 7)) != list(generate(50, 8))


def test_ids_are_unique() -> None:
    assert len({str(generated.event["id"]) for generated in generate(5_000)}) == 5_000


@pytest.mark.parametrize("flaw", [*FLAWS, "not-a-uuid"])
def test_each_flaw_can_be_asked_for_alone(flaw: Flaw) -> None:
    for generated in generate(20, shares=Shares(0, 0, 1), flaws=[flaw]):
        assert FLAW_SHOWS[flaw](generated)


FLAW_SHOWS = {
    "missing-priority": lambda generated: "priority" not in payload_of(generated),
    "malformed-time": lambda generated: not is_sound(generated.event),
    "numeric-id": lambda generated: isinstance(generated.event["id"], int),
    "not-a-uuid": lambda generated: str(generated.event["id"]).startswith("interaction-"),
}


def payload_of(generated: GeneratedEvent) -> dict[str, object]:
    payload = generated.event["payload"]
    assert isinstance(payload, dict)
    return payload


@pytest.mark.parametrize("shares", [(-1, 1, 1), (0, 0, 0)], ids=["negative", "all zero"])
def test_shares_that_mean_nothing_are_refused(shares: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="weights"):
        Shares(*shares)
