"""This module accounts for conversations: every state that Genesys tells of against every state on the bus.

Genesys' word is its analytics query, asked when nothing happens any more: each moment at which a conversation
changed is one state of it on each queue's topic, and what changed are steps. What is on the bus is looked up in `raw`
by its event id.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from processors.event.identity import derive_event_id
from processors.event.strict_json import JsonObject
from processors.genesys.analytics.snapshots import EVER, snapshots
from processors.genesys.states import snapshot_key, state_of
from processors.genesys.steps.memory import StepMemory
from tests import http
from tests.kafka.pipeline import Pipeline

PAGE = 100

#: A state of a conversation on a topic: (topic, conversation id, participants' states).
State = tuple[str, str, int | None]


@dataclass(frozen=True, slots=True)
class ConversationAccount:
    """What became of the states. `unheard`: conversations of which nothing is on the bus; `lost`: states that
    are not; `same_event`: entries on the bus beyond the first one of their event; `same_state`: the
    events of each state that is on the bus by more than one. `steps`: those of Genesys' word, of
    which `steps_lost` (their names) are not on the bus; `steps_repeated` of all came to `raw` more than once.
    """

    states: int
    unheard: tuple[str, ...]
    lost: tuple[State, ...]
    same_event: int
    same_state: tuple[tuple[JsonObject, ...], ...]
    steps: int
    steps_lost: tuple[str, ...]
    steps_repeated: int


@dataclass(frozen=True, slots=True)
class Genesys:
    """The emulator as seen from outside; `announced` is what it prints when it serves."""

    url: str
    client_id: str
    client_secret: str

    @classmethod
    def of(cls, announced: dict[str, Any]) -> Genesys:
        return cls(announced["url"], announced["clientId"], announced["clientSecret"])

    @property
    def settings(self) -> dict[str, str]:
        """What a worker needs to listen to it."""
        return {
            "GENESYS_SOURCE": "notifications",
            "GENESYS_BASE_URL": self.url,
            "GENESYS_CLIENT_ID": self.client_id,
            "GENESYS_CLIENT_SECRET": self.client_secret,
        }

    def inspect(self, what: str) -> Any:
        return http.get(f"{self.url}/_emulator/{what}").raise_for_status().json()

    def tell(self, method: str, what: str, **body: Any) -> Any:
        answer = http.request(method, f"{self.url}/_emulator/{what}", json=body)
        return answer.raise_for_status().json()

    def sockets(self) -> list[dict[str, Any]]:
        """The channels that somebody listens to."""
        return [one for one in self.inspect("channels")["entities"] if one["connected"]]

    def listened(self) -> list[str]:
        """Topics of those channels, with repetitions."""
        return [topic for channel in self.sockets() for topic in channel["topics"]]

    def conversations(self) -> list[dict[str, Any]]:
        """All of the last day, as the analytics query tells them."""
        credentials = (self.client_id, self.client_secret)
        grant = {"grant_type": "client_credentials"}
        answer = http.post(f"{self.url}/oauth/token", auth=credentials, data=grant).raise_for_status()
        headers = {"authorization": f"Bearer {answer.json()['access_token']}"}
        now = datetime.now(UTC)
        interval = f"{(now - timedelta(days=1)).isoformat()}/{(now + timedelta(hours=1)).isoformat()}"
        found: list[dict[str, Any]] = []
        while len(found) % PAGE == 0:
            body = {"interval": interval, "paging": {"pageSize": PAGE, "pageNumber": len(found) // PAGE + 1}}
            path = f"{self.url}/api/v2/analytics/conversations/details/query"
            page = http.post(path, json=body, headers=headers).raise_for_status().json()
            if not page.get("conversations"):
                break
            found += page["conversations"]
        return found


def _state(envelope: JsonObject) -> int | None:
    """A number for what live snapshots and the query can both tell; None for any other event."""
    state = state_of(envelope)
    return None if state is None else hash(frozenset(state.shapes.items()))


def account(pipeline: Pipeline, genesys: Genesys, topics: set[str]) -> ConversationAccount:
    """Where every state that `topics` should have brought is now."""
    wanted: dict[State, None] = {}
    steps: dict[str, str] = {}
    for conversation in genesys.conversations():
        memory = StepMemory()
        for told in snapshots(conversation, EVER, topics):
            wanted[(*snapshot_key(told.envelope), _state(told.envelope))] = None
            for step in memory.take(told.envelope, told.moment_ms):
                steps[derive_event_id(step.envelope(told.envelope))] = step.name
    came = [(derive_event_id(envelope), envelope) for envelope in map(orjson.loads, pipeline.read("raw"))]
    by_id = dict(came)
    of_steps = Counter(ident for ident, envelope in came if envelope.get("derived") is True)
    entries = Counter(detail["eventId"] for detail in pipeline.bus())
    states: defaultdict[State, list[JsonObject]] = defaultdict(list)
    for event_id, envelope in by_id.items():
        state = _state(envelope)
        if state is not None and event_id in entries:
            states[(*snapshot_key(envelope), state)].append(envelope)
    heard = {conversation for _, conversation, _ in states}
    return ConversationAccount(
        states=len(wanted),
        unheard=tuple(sorted({conversation for _, conversation, _ in wanted} - heard)),
        lost=tuple(state for state in wanted if state not in states),
        same_event=entries.total() - len(entries),
        same_state=tuple(tuple(events) for events in states.values() if len(events) > 1),
        steps=len(steps),
        steps_lost=tuple(name for ident, name in steps.items() if ident not in entries),
        steps_repeated=of_steps.total() - len(of_steps),
    )
