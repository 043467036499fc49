"""This module is the emulated STS, as far as GetCallerIdentity goes."""

from __future__ import annotations

from emulators.aws.calls import Answer, Call


class Identity:
    """Every access key is the user of that name in the one account."""

    def __init__(self, account: str) -> None:
        self._account = account

    async def caller(self, call: Call) -> Answer:
        return {
            "Arn": f"arn:aws:iam::{self._account}:user/{call.access_key}",
            "UserId": call.access_key,
            "Account": self._account,
        }
