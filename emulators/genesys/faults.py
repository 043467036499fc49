"""This module names every fault that the emulator can be asked for, and remembers which are still due."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from pydantic import Field

from emulators.faults import FaultModel
from emulators.pages import Page


class AnswerFault(FaultModel):
    """Requests whose path contains `path` get `status`, `times` times (None = until it is taken away).

    With `page` it is no answer of Genesys: somebody else's page, or with `reset` none at all.
    """

    path: str
    status: int = Field(ge=200, le=599)
    page: Page | Literal["reset"] | None = None
    times: int | None = Field(default=None, ge=1)
    method: str | None = None
    delay: float = Field(default=0.0, ge=0, description="Seconds that pass before the answer.")


class Faults(FaultModel):
    """Every fault, off by default. `…_every` counts events (0 = never), shares are between 0 and 1."""

    answers: tuple[AnswerFault, ...] = ()

    # the HTTP stream
    cut_every_events: int = Field(default=0, ge=0, description="Cut the connection after so many events.")
    cut_every_seconds: float = Field(default=0, ge=0, description="Cut the connection at this age.")
    half_line: bool = Field(default=False, description="A cut falls into the middle of a line.")
    garbage_every: int = Field(default=0, ge=0)
    invalid_utf8_every: int = Field(default=0, ge=0)
    huge_line_every: int = Field(default=0, ge=0)
    deep_nesting_every: int = Field(default=0, ge=0)
    blank_every: int = Field(default=0, ge=0)
    array_size: int = Field(default=0, ge=0, description="So many events as one JSON array on one line.")
    ragged_chunks: bool = Field(default=False, description="HTTP chunks end at arbitrary bytes.")
    unfinished_last_line: bool = Field(
        default=False,
        description="When production has ended: no newline after the last event, and a clean end.",
    )

    # the notification sockets
    duplicate_share: float = Field(default=0, ge=0, le=1)
    out_of_order_share: float = Field(default=0, ge=0, le=1)
    repeat_share: float = Field(default=0, ge=0, le=1, description="Queue snapshots sent again unchanged.")
    malformed_every: int = Field(default=0, ge=0)
    binary_every: int = Field(default=0, ge=0)
    huge_frame_every: int = Field(default=0, ge=0)
    unknown_topic_every: int = Field(default=0, ge=0)
    no_ids_every: int = Field(default=0, ge=0, description="An event whose body names neither conversation nor id.")
    closing_every_seconds: float = Field(default=0, ge=0, description="socket_closing, then the close.")
    closing_notice_seconds: float = Field(default=60, ge=0, description="Between the notice and the close.")
    forget_every_seconds: float = Field(default=0, ge=0, description="Drop a channel's topics, and tell nobody.")
    silent: bool = Field(default=False, description="Neither heartbeats nor pongs.")
    upgrade_status: int = Field(default=0, ge=0, le=599, description="WebSocket upgrades get this status.")


class ActiveFaults:
    """The faults in force, the answers already given, and how often each fault has struck."""

    def __init__(self, faults: Faults) -> None:
        self.struck: Counter[str] = Counter()
        self._faults = faults
        self._given: Counter[int] = Counter()

    @property
    def faults(self) -> Faults:
        return self._faults

    def replace(self, faults: Faults) -> None:
        """Other faults from now on; counted answers begin anew, `struck` goes on."""
        self._faults = faults
        self._given.clear()

    def answer(self, method: str, path: str) -> AnswerFault | None:
        """The fault that this request gets instead of its answer; counts it as given."""
        for number, fault in enumerate(self._faults.answers):
            used_up = fault.times is not None and self._given[number] >= fault.times
            if not used_up and fault.path in path and fault.method in (None, method):
                self._given[number] += 1
                self.struck[f"answer {fault.status}"] += 1
                return fault
        return None
