"""Tests of how a demo ends that cannot account for everything: it says so, and its exit code does."""

import json
from pathlib import Path

import pytest

from streams.commands import demo as module
from streams.demo.accounts import Account
from streams.demo.stack import Options

KEYS = ["ingested", "filtered", "published", "failed", "duplicates", "lost", "seconds", "events_per_second"]


class FakeStack:
    """Parts that run; nothing is started."""

    made = None

    def __init__(self, options):
        FakeStack.made = self
        self.options, self.keep, self.folder, self.web = options, False, Path("logs"), "http://worker"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def check(self):
        pass


def account(**changes):
    made = {"ingested": 10, "filtered": 3, "published": 6, "failed": 1, "duplicates": 0, "lost": 0, "seconds": 2.0}
    return Account(**(made | changes))


@pytest.mark.parametrize(
    ("found", "code", "told"),
    [
        (account(), 0, ""),
        (account(published=5, lost=1), 1, "1 events are lost; logs are in logs"),
        (account(ingested=0, filtered=0, published=0, failed=0, gave_up=True), 1, "0 of 10 events were taken in"),
    ],
    ids=["all accounted for", "one lost", "nothing came"],
)
def test_the_exit_code_and_one_line_of_json_say_how_it_went(monkeypatch, invoke, found, code, told):
    async def watch(stack, exits, signals):
        return found

    monkeypatch.setattr(module, "Stack", FakeStack)
    monkeypatch.setattr(module, "_watch", watch)
    monkeypatch.setattr(module.signal, "signal", lambda *_: None)
    monkeypatch.setattr(module.console, "print", lambda text, **_: heard.append(text))
    heard = []
    result = invoke("demo", "--events", "10", "--exit")
    assert result.exit_code == code
    assert list(json.loads(result.stdout)) == KEYS
    assert told in "".join(heard)
    assert FakeStack.made.keep == bool(code)


async def test_it_gives_up_when_nothing_moves(monkeypatch):
    class Books:
        async def report(self):
            return None

        async def account(self):
            return account(ingested=0)

    monkeypatch.setattr(module, "PATIENCE_S", -1.0)
    stack = FakeStack(Options(10, "stream", False, 0.0, 6066))
    assert (await module._until_accounted(stack, Books(), True)).gave_up
