"""This module runs the app as a process, which ends in good time and says by its exit code why."""

from __future__ import annotations

import gc
import signal
import sys
from typing import Any, NoReturn

import faust

from streams.exit import EXIT_BUG, end_within

#: Seconds that a stop may take beyond SHUTDOWN_GRACE: leaving the group, closing clients.
LEAVE_S = 5.0


def collect_garbage_rarely() -> None:
    """Take what the start made out of the collector's sight, and let it look after 50,000 objects instead of 700.

    Events make few cycles; looking at modules, schemas and clients again and again cost 24 to 99 µs an event.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


class Runner(faust.Worker):
    """Faust's worker with a bound on how long a stop takes, and the exit code that the pipeline asked for."""

    app: Any  # a PipelineApp, which stands a floor higher (streams/pipeline.py)

    failed: bool = False
    end_within = staticmethod(end_within)

    async def start(self) -> None:
        """An error in a start ends it, and counts as no crash (mode/services.py)."""
        try:
            await super().start()
        except Exception:
            self.failed = True
            raise

    async def on_started(self) -> None:
        """All is started; a worker's start comes to its end only when it is stopped (mode/worker.py)."""
        collect_garbage_rarely()
        await super().on_started()

    def execute_from_commandline(self) -> NoReturn:
        try:
            super().execute_from_commandline()
        except SystemExit:  # mode/worker.py: 0 for a stop in order, whatever it was for, else 1 or 71
            sys.exit(self._exit_code())

    def _install_signal_handlers_unix(self) -> None:
        """A terminal that is closed asks for a stop in order as well, unless nohup has it ignored."""
        super()._install_signal_handlers_unix()
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            self.loop.add_signal_handler(signal.SIGHUP, self._on_sigterm)

    def on_worker_shutdown(self) -> None:
        """A stop that no signal asked for: a service of the app has crashed."""
        self._end_in_time()
        super().on_worker_shutdown()

    async def _stop_on_signal(self, signal: signal.Signals) -> None:
        self._end_in_time()
        await super()._stop_on_signal(signal)

    def _end_in_time(self) -> None:
        self.end_within(self.app.settings.shutdown_grace + LEAVE_S, self._exit_code)

    def _exit_code(self) -> int:
        return self.app.exit_code or (EXIT_BUG if self.failed or self.crashed or self.app.crashed else 0)
