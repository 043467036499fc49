"""This module tests what the demo takes from the shell, and what it leaves behind."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from settings import Settings
from streams.demo.stack import DemoError, Options, Stack, without_settings

OPTIONS = Options(events=1, source="stream", faults=False, rate=1.0, port=6066)
READY = {"url": "u", "clientId": "c", "clientSecret": "s", "queues": {"demo-failures": "q", "demo-events": "e"}}


def test_no_setting_of_the_shell_reaches_the_demo():
    shell = {name.upper(): "production" for name in Settings.model_fields}
    shell |= {"AWS_PROFILE": "production", "AWS_ENDPOINT_URL_SQS": "https://sqs", "https_proxy": "http://proxy:3128"}

    assert without_settings({**shell, "PATH": "/bin", "HOME": "/home"}) == {
        "LOG_FORMAT": "production",
        "LOG_LEVEL": "production",
        "PATH": "/bin",
        "HOME": "/home",
    }


class QuietStack(Stack):
    """A stack of which nothing starts."""

    def _broker(self):
        return nullcontext(SimpleNamespace(environment={}))

    def _emulator(self, name, arguments):
        return READY

    def _worker(self):
        pass


class BrokenStack(Stack):
    """A stack whose emulator of Genesys does not start."""

    start_s = 10.0

    def _genesys_arguments(self, events):
        return ["--no-such-option"]


@pytest.mark.parametrize("keep", [False, True])
def test_the_folder_goes_at_the_end_unless_its_logs_are_named(keep):
    with QuietStack(OPTIONS) as stack:
        assert stack.folder.is_dir()
        stack.keep = keep
    assert stack.folder.is_dir() == keep
    for left in stack.folder.glob("*"):
        left.unlink()
    if keep:
        stack.folder.rmdir()


def test_the_logs_of_a_part_that_does_not_start_are_kept(tmp_path):
    stack = BrokenStack(OPTIONS, folder=tmp_path / "demo")
    stack.folder.mkdir()
    with pytest.raises(DemoError, match="genesys"), stack:
        raise AssertionError("it started")
    assert (stack.folder / "genesys.log").read_text()
