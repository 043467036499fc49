"""This module decides what a refused entry deserves, and how long to wait before the next attempt."""

from __future__ import annotations

#: Codes that no further attempt fixes (PutEventsResultEntry, EventBridge API reference), and the SDK's own
#: ParamValidationError.
PERMANENT = frozenset(
    {
        "AccessDeniedException",
        "InvalidAccountIdException",
        "InvalidArgument",
        "MalformedDetail",
        "NotAuthorizedForDetailTypeException",
        "NotAuthorizedForSourceException",
        "ParamValidationError",
        "RedactionFailure",
        "ResourceNotFoundException",
        "ValidationException",
        "EntryTooLarge",
    }
)

BASE_S = 1.0
CAP_S = 30.0

#: Longest wait while a whole service is unreachable: full speed shall be back within 15 s of the end of its outage.
AWAY_CAP_S = 8.0


def is_retryable(code: str) -> bool:
    """Whether another attempt may help. Unknown codes may: AWS documents none beyond the permanent ones."""
    return code not in PERMANENT


def backoff(attempt: int, chance: float) -> float:
    """Seconds to wait before attempt number `attempt` (from 0): full jitter over 1 s · 2ⁿ, capped at 30 s.

    `chance` is a random number in [0, 1), drawn by the caller.
    """
    return chance * min(CAP_S, BASE_S * 2.0 ** min(attempt, 10))


def outage_backoff(attempt: int, chance: float) -> float:
    """Seconds to wait before a service that takes nothing at all is asked again: as `backoff`, capped at 8 s."""
    return chance * min(AWAY_CAP_S, BASE_S * 2.0 ** min(attempt, 10))
