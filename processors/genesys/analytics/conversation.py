"""This module reads conversations as the analytics query tells them: participants, sessions, segments, times.

Shape: POST /api/v2/analytics/conversations/details/query. Whatever is not shaped as documented is left out,
as every field may be missing.
"""

from __future__ import annotations

from dataclasses import dataclass

from processors.event.members import objects
from processors.event.strict_json import JsonObject
from processors.genesys import legs
from processors.genesys.interval import Interval, epoch_ms_of

#: Analytics media -> the participant's array in snapshots.
MEDIA = {medium.lower(): array for array, medium in legs.MEDIA.items() if medium != "UNKNOWN"}

#: Segment type -> state of the communication; in all others (interact, hold, ivr, ...) it is connected.
STATES = {
    "alert": "alerting",
    "dialing": "dialing",
    "contacting": "contacting",
    "scheduled": "scheduled",
    "parked": "parked",
    "wrapup": "terminated",
}


@dataclass(frozen=True, slots=True)
class Segment:
    """Part of a session; times in epoch ms, `end_ms` None while it lasts."""

    kind: str
    start_ms: int
    end_ms: int | None
    body: JsonObject


@dataclass(frozen=True, slots=True)
class Session:
    """One communication of a participant; its segments are in order and at least one."""

    body: JsonObject
    medium: str
    segments: tuple[Segment, ...]

    def begun(self, moment: int) -> list[Segment]:
        """The segments that have begun by then."""
        return [segment for segment in self.segments if segment.start_ms <= moment]

    def state(self, moment: int) -> str:
        """As snapshots name it. Between two segments the first one's state lasts."""
        begun = self.begun(moment)
        last = begun[-1]
        if len(begun) == len(self.segments) and _over(last, moment):
            return "terminated"
        return STATES.get(last.kind, "connected")

    def ended(self, moment: int) -> int | None:
        """When it ended, if it has by then; after-call work is no part of it."""
        if self.state(moment) != "terminated":
            return None
        work = next((segment for segment in self.begun(moment) if segment.kind == "wrapup"), None)
        return self.begun(moment)[-1].end_ms if work is None else work.start_ms

    def wrap_up(self, moment: int) -> str | None:
        """The wrap-up code given by then."""
        codes = [one.body.get("wrapUpCode") for one in self.begun(moment) if _over(one, moment)]
        return next((code for code in reversed(codes) if isinstance(code, str)), None)


@dataclass(frozen=True, slots=True)
class Party:
    """One participant with its sessions, at least one."""

    body: JsonObject
    sessions: tuple[Session, ...]

    @property
    def begins_ms(self) -> int:
        return min(session.segments[0].start_ms for session in self.sessions)

    def queue(self, moment: int) -> str | None:
        """The queue it was in last."""
        segments = sorted(
            (segment for session in self.sessions for segment in session.begun(moment)),
            key=lambda segment: segment.start_ms,
        )
        queues = [queue for segment in segments if isinstance(queue := segment.body.get("queueId"), str)]
        return queues[-1] if queues else None

    def live(self, moment: int) -> list[Session]:
        """The sessions that have begun by then."""
        return [session for session in self.sessions if session.begun(moment)]


@dataclass(frozen=True, slots=True)
class AnalyticsConversation:
    """What the analytics query tells of one conversation, as far as it is well-formed."""

    id: str
    body: JsonObject
    parties: tuple[Party, ...]

    @classmethod
    def from_json(cls, body: JsonObject) -> AnalyticsConversation | None:
        """None without a conversation id."""
        ident = body.get("conversationId")
        if not isinstance(ident, str) or not ident:
            return None
        parties = (_party(one) for one in objects(body, "participants"))
        return cls(ident, body, tuple(party for party in parties if party is not None))

    def moments(self, interval: Interval) -> list[int]:
        """When something changed within the interval, in order."""
        times: set[int | None] = {epoch_ms_of(self.body.get("conversationEnd"))}
        for party in self.parties:
            for session in party.sessions:
                times.update(segment.start_ms for segment in session.segments)
                times.update(segment.end_ms for segment in session.segments)
        return sorted(time for time in times if time is not None and interval.start_ms <= time < interval.end_ms)


def _party(body: JsonObject) -> Party | None:
    sessions = (_session(one) for one in objects(body, "sessions"))
    whole = tuple(session for session in sessions if session is not None)
    return Party(body, tuple(sorted(whole, key=lambda session: session.segments[0].start_ms))) if whole else None


def _session(body: JsonObject) -> Session | None:
    segments = []
    for one in objects(body, "segments"):
        start = epoch_ms_of(one.get("segmentStart"))
        if start is not None:
            kind = str(one.get("segmentType"))
            segments.append(Segment(kind, start, epoch_ms_of(one.get("segmentEnd")), one))
    if not segments:
        return None
    medium = MEDIA.get(str(body.get("mediaType")).lower(), "calls")
    return Session(body, medium, tuple(sorted(segments, key=lambda segment: segment.start_ms)))


def _over(segment: Segment, moment: int) -> bool:
    return segment.end_ms is not None and segment.end_ms <= moment
