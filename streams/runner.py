"""This module runs the app as a process, which ends in good time when it is told to."""

from __future__ import annotations

import signal

import faust

from streams.app import PipelineApp
from streams.ending import end_within

#: Seconds that a stop may take beyond SHUTDOWN_GRACE: leaving the group, closing clients.
LEAVE_S = 5.0


class Runner(faust.Worker):
    """Faust's worker with a bound on how long a stop takes."""

    app: PipelineApp

    async def _stop_on_signal(self, signal: signal.Signals) -> None:
        end_within(self.app.settings.shutdown_grace + LEAVE_S, lambda: self.app.exit_code)
        await super()._stop_on_signal(signal)
