"""This module says what a refusal by AWS means: whose fault it is, what fixes it, and when refusals are too many."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass

#: Codes, by their base, that speak of the caller's credentials: an operator fixes them, no event is to blame.
CREDENTIALS = {
    "ExpiredToken": "the credentials have expired: renew them (`aws sso login`, or whatever gives them)",
    "IncompleteSignature": "something between here and AWS changes the requests: look at the proxy",
    "InvalidClientTokenId": "AWS does not know the access key: fix AWS_ACCESS_KEY_ID or AWS_PROFILE",
    "InvalidSignature": "fix AWS_SECRET_ACCESS_KEY, AWS_REGION or this machine's clock",
    "MissingAuthenticationToken": "something between here and AWS drops the signature: look at the proxy",
    "NotAuthorized": "the credentials may not be used so: look at the role, its session and AWS_PROFILE",
    "OptInRequired": "the account is not signed up for the service, or the region is not switched on: fix AWS_REGION",
    "RequestExpired": "fix this machine's clock",
    "RequestTimeTooSkewed": "fix this machine's clock",
    "SignatureDoesNotMatch": "fix AWS_SECRET_ACCESS_KEY, AWS_REGION or this machine's clock",
    "UnrecognizedClient": "AWS does not know the access key: fix AWS_ACCESS_KEY_ID, AWS_SESSION_TOKEN or AWS_PROFILE",
}

#: Codes, by their base, of a missing right.
ACCESS = frozenset({"AccessDenied", "AuthorizationError", "KMS.AccessDenied", "KmsAccessDenied", "InvalidSecurity"})

#: Codes, by their base, of what is not there.
MISSING = frozenset({"ResourceNotFound", "NonExistentQueue", "QueueDoesNotExist", "InvalidAccountId", "InvalidAddress"})


#: Codes, by their base, of AWS's own trouble.
TROUBLE = frozenset(
    {"ServiceUnavailable", "InternalFailure", "InternalError", "Internal", "InternalServer", "503", "500"}
)


def base_code(code: str) -> str:
    """The code without the prefix and the suffix that some protocols give it."""
    return code.removeprefix("AWS.SimpleQueueService.").removesuffix("Exception")


def is_throttling(code: str) -> bool:
    """Whether a code, in any service's words, says that too much was asked."""
    return any(word in code for word in ("Throttl", "TooManyRequests", "LimitExceeded", "SlowDown", "RequestThrottled"))


def concerns_the_caller(code: str) -> bool:
    """Whether a code speaks of rights, credentials, or of what events are put on: of no event."""
    base = base_code(code)
    return base in CREDENTIALS or base in ACCESS or base in MISSING


def remedy(code: str, permission: str, missing: str) -> str:
    """What an operator does about a code. `permission`: the action to allow; `missing`: what to make or name anew."""
    base = base_code(code)
    if base in CREDENTIALS:
        return CREDENTIALS[base]
    if base in ACCESS:
        return f"allow {permission}"
    if base in MISSING:
        return missing
    if is_throttling(code):
        return "it goes on by itself; ask AWS for a higher quota if it lasts"
    if base in TROUBLE:
        return "it goes on by itself; look at AWS's health if it lasts"
    return "look the code up at AWS, and at the names and ARNs in the settings"


@dataclass(frozen=True, slots=True)
class RefusalLimits:
    """More than `share` of at least `least` entries within `window_s` seconds are too many."""

    share: float
    least: int
    window_s: float


#: Seconds that an operator's word lasts, when the share does not fall below the limit before.
QUIET_S = 600.0


class RefusalWindow:
    """Entries of the last `window_s` seconds, by what became of them. Times are of a clock that does not go back."""

    def __init__(self, limits: RefusalLimits) -> None:
        self._limits = limits
        self._seconds: deque[tuple[int, Counter[str]]] = deque()
        self._sums: Counter[str] = Counter()
        self._quiet_until: float | None = None

    def accepted(self, now: float) -> None:
        """Count an entry that was taken."""
        self._count(now, "")

    def refused(self, now: float, code: str) -> None:
        """Count an entry that was refused for good."""
        self._count(now, code)

    def flood(self, now: float) -> str | None:
        """Why publishing should pause; None while the refusals are few, or an operator has said to go on."""
        self._forget(now)
        total = self._sums.total()
        refused = total - self._sums[""]
        if total < self._limits.least:
            return None
        if refused <= self._limits.share * total:
            self._quiet_until = None
            return None
        if self.is_quiet(now):
            return None
        worst = min((code for code in self._sums if code), key=lambda code: (-self._sums[code], code))
        return f"{refused} of {total} entries were refused within {self._limits.window_s:g} s, mostly with {worst}"

    def is_quiet(self, now: float) -> bool:
        """Whether an operator has said to go on, and that still stands."""
        return self._quiet_until is not None and now < self._quiet_until

    def is_within(self, refused: int, total: int) -> bool:
        """Whether so many of so few are no more than the share."""
        return refused <= self._limits.share * total

    def clear(self) -> None:
        """Begin anew."""
        self._seconds.clear()
        self._sums.clear()

    def resume(self, now: float) -> None:
        """Begin anew, and stay quiet until the share has once been within the limit, or for ten minutes."""
        self.clear()
        self._quiet_until = now + QUIET_S

    def _count(self, now: float, code: str) -> None:
        second = int(now)
        if not self._seconds or self._seconds[-1][0] != second:
            self._seconds.append((second, Counter()))
        self._seconds[-1][1][code] += 1
        self._sums[code] += 1

    def _forget(self, now: float) -> None:
        while self._seconds and self._seconds[0][0] <= now - self._limits.window_s:
            self._sums -= self._seconds.popleft()[1]
