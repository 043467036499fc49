"""Tests of the runner: whatever ends the app, the process ends in good time and its exit code says why."""

from types import SimpleNamespace

import pytest

from streams.worker import runner as module
from streams.worker.runner import Runner


@pytest.fixture
def runner(monkeypatch):
    """A runner that was never set up, and the bounds it set."""
    made = object.__new__(Runner)
    made.bounds = []
    made.app = SimpleNamespace(exit_code=0, crashed=False, settings=SimpleNamespace(shutdown_grace=10.0))
    monkeypatch.setattr(Runner, "crashed", False)
    monkeypatch.setattr(module, "end_within", lambda seconds, code: made.bounds.append((seconds, code())))
    return made


@pytest.mark.parametrize(
    ("asked", "crashed", "code"), [(0, False, 0), (2, False, 2), (0, True, 70), (2, True, 2)],
    ids=["told to stop", "stopped itself", "a service crashed", "crashed while it stopped itself"],
)  # fmt: skip
def test_the_exit_code_says_why(runner, monkeypatch, asked, crashed, code):
    def run(self):
        raise SystemExit(int(crashed))

    monkeypatch.setattr(module.faust.Worker, "execute_from_commandline", run)
    runner.app.exit_code, runner.app.crashed = asked, crashed
    with pytest.raises(SystemExit) as ended:
        runner.execute_from_commandline()
    assert ended.value.code == code


async def test_a_start_that_fails_is_told(runner, monkeypatch):
    async def fail(self):
        raise OSError("no broker")

    monkeypatch.setattr(module.faust.Worker, "start", fail)
    with pytest.raises(OSError, match="no broker"):
        await runner.start()
    assert runner._exit_code() == 70


def test_a_stop_after_a_crash_has_an_end_too(runner, monkeypatch):
    monkeypatch.setattr(module.faust.Worker, "on_worker_shutdown", lambda self: None)
    runner.app.crashed = True
    runner.on_worker_shutdown()
    assert runner.bounds == [(15.0, 70)]


async def test_a_stop_by_a_signal_has_an_end(runner, monkeypatch):
    async def stop(self, signal):
        assert runner.bounds == [(15.0, 0)]

    monkeypatch.setattr(module.faust.Worker, "_stop_on_signal", stop)
    await runner._stop_on_signal(None)
