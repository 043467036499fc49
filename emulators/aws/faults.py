"""This module names every fault that the emulator can be asked for."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from emulators.aws.calls import Service
from emulators.faults import FaultModel
from emulators.pages import Page

Kind = Literal[
    "throttle",  # 400, in the words of the service
    "internal",  # 500
    "unavailable",  # 503
    "expired",  # the security token is expired
    "answer",  # any `status` and `code`
    "page",  # what is no answer of AWS: `page` with `status`
    "slow",  # answers after `latency_ms`
    "hang",  # reads the request and never answers; nothing is stored
    "hang_stored",  # stores, and never answers
    "drop",  # stores, then closes the connection without an answer
    "drop_early",  # closes the connection; nothing is stored
]


class _Rule(FaultModel):
    service: Service = "events"
    share: float = Field(default=1.0, ge=0, le=1, description="Of those that it could strike.")
    times: int | None = Field(default=None, ge=1, description="Strikes so often and no more.")
    seconds: float | None = Field(default=None, gt=0, description="In force so long from when it is asked for.")


class EntryFault(_Rule):
    """Entries of PutEvents and SendMessageBatch get `code` instead of being stored.

    `contains` limits it to entries with this text in Detail (or the message body). Any code goes, unknown ones too;
    of SQS none is the sender's fault.
    """

    code: str = "ThrottlingException"
    message: str = "Asked for by a fault."
    contains: str = ""


class RequestFault(_Rule):
    """Whole requests of one service; `operation` limits it to one operation, `access_key` to one credential.

    A client that renews its credentials away from `access_key` is past the `expired` fault.
    """

    kind: Kind
    operation: str | None = None
    access_key: str | None = None
    status: int = Field(default=400, ge=200, le=599, description="Of kind `answer` or `page`.")
    code: str = Field(default="ValidationException", description="Of kind `answer`.")
    page: Page = Field(default="html", description="Of kind `page`.")
    latency_ms: float = Field(default=0, ge=0, description="Of kind `slow`.")


class Faults(FaultModel):
    """Every rule in force, none by default; the same seed strikes the same requests in order of arrival."""

    seed: int = 1
    entries: tuple[EntryFault, ...] = ()
    requests: tuple[RequestFault, ...] = ()
