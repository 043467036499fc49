"""This module runs a worker whose commits of offsets wait for ever from SIGRTMIN on; all else goes on as it was.

So the moment between an event's being sent and its offset's being committed lasts as long as a case needs it.
"""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from aiokafka.consumer.group_coordinator import GroupCoordinator

from streams.__main__ import main

_held: list[int] = []
_commit = GroupCoordinator._do_commit_offsets


async def _commit_unless_held(self: GroupCoordinator, assignment: Any, offsets: Any) -> None:
    if _held:
        await asyncio.Event().wait()
    await _commit(self, assignment, offsets)


if __name__ == "__main__":
    GroupCoordinator._do_commit_offsets = _commit_unless_held
    signal.signal(signal.SIGRTMIN, lambda number, _: _held.append(number))
    main()
