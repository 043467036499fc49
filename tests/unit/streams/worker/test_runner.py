"""Tests of the runner: whatever ends the app, the process ends in good time and its exit code says why."""

import gc
import signal
from types import SimpleNamespace

import faust
import pytest

from streams.worker.runner import Runner


class FaustWorker(faust.Worker):
    """Stands in for Faust's own: it was never set up, and does as a test says."""

    crashed = False

    async def start(self):
        raise OSError("no broker")

    async def on_started(self):
        """Faust's own waits here for the stop, inside of `start`."""
        self.heard.append(("waits for the stop", gc.get_threshold(), gc.get_freeze_count() > 0))

    def execute_from_commandline(self):
        raise SystemExit(int(self.app.crashed))

    def on_worker_shutdown(self):
        self.heard.append("shutdown")

    async def _stop_on_signal(self, signal):
        self.heard.append(f"signal {signal}")


class TriedRunner(Runner, FaustWorker):
    """The runner on that worker; `heard` are the calls in their order, with the bounds that were set."""

    def __init__(self):
        self.heard = []
        self.app = SimpleNamespace(exit_code=0, crashed=False, settings=SimpleNamespace(shutdown_grace=10.0))

    def end_within(self, seconds, code):
        self.heard.append((seconds, code()))


@pytest.fixture
def runner():
    return TriedRunner()


@pytest.mark.parametrize(
    ("asked", "crashed", "code"), [(0, False, 0), (2, False, 2), (0, True, 70), (2, True, 2)],
    ids=["stopped", "stopped itself", "a service crashed", "crashed while it stopped itself"],
)  # fmt: skip
def test_the_exit_code_says_why(runner, asked, crashed, code):
    runner.app.exit_code, runner.app.crashed = asked, crashed
    with pytest.raises(SystemExit) as ended:
        runner.execute_from_commandline()
    assert ended.value.code == code


async def test_a_start_that_fails_is_told(runner):
    with pytest.raises(OSError, match="no broker"):
        await runner.start()
    assert runner._exit_code() == 70


async def test_garbage_is_collected_rarely_from_the_end_of_the_start_on(runner):
    thresholds = gc.get_threshold()
    try:
        await runner.on_started()
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)
    assert runner.heard == [("waits for the stop", (50_000, 20, 20), True)]


def test_a_stop_after_a_crash_has_an_end_too(runner):
    runner.app.crashed = True
    runner.on_worker_shutdown()
    assert runner.heard == [(15.0, 70), "shutdown"]


async def test_a_stop_by_a_signal_has_an_end(runner):
    await runner._stop_on_signal(15)
    assert runner.heard == [(15.0, 0), "signal 15"]


@pytest.mark.parametrize(("ignored", "heard"), [(False, True), (True, False)], ids=["", "under nohup"])
def test_a_closed_terminal_stops_as_sigterm_does(runner, monkeypatch, ignored, heard):
    handlers = {}
    runner.loop = SimpleNamespace(add_signal_handler=lambda number, handler: handlers.update({number: handler}))
    monkeypatch.setattr(signal, "getsignal", lambda number: signal.SIG_IGN if ignored else signal.SIG_DFL)

    runner._install_signal_handlers_unix()

    assert (handlers.get(signal.SIGHUP) == handlers[signal.SIGTERM]) == heard
