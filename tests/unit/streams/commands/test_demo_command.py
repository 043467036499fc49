"""Tests of how a demo ends that cannot account for everything: it says so, and its exit code does."""

from pathlib import Path

import pytest

from streams.commands import demo as module
from streams.demo.accounts import Account
from streams.demo.stack import Options

KEYS = ["ingested", "filtered", "published", "failed", "duplicates", "lost", "seconds", "events_per_second"]

OPTIONS = Options(10, "stream", False, 0.0, 6066)


class FakeStack:
    """Parts that run; nothing is started."""

    def __init__(self, options):
        self.options, self.keep, self.folder, self.web = options, False, Path("logs"), "http://worker"

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
def test_the_exit_code_and_the_summary_say_how_it_went(capsys, found, code, told):
    stack = FakeStack(OPTIONS)
    assert module.judge(found, stack) == code
    assert list(module.summary(found)) == KEYS
    assert told in capsys.readouterr().err.replace("\n", " ")
    assert stack.keep == bool(code)


async def test_it_gives_up_when_nothing_moves():
    class DemoLedger:
        async def live(self):
            return None

        async def account(self):
            return account(ingested=0)

    assert (await module.Watch(FakeStack(OPTIONS), DemoLedger(), True, patience_s=-1.0).until_accounted()).gave_up
