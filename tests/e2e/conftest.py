"""This module gives the tests below it a real Chromium (or says why there is none), and one pipeline for all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from streams.demo.stack import Options, Stack
from tests import http
from tests.kafka.pipeline import wait_until

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",  # root has none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

#: Events that the pipeline of these tests is sent.
EVENTS = 400

#: What a page may take on a busy machine.
PATIENCE_MS = 60_000

OpenPage = Callable[..., Page]

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")  # Playwright runs an event loop as long as it is open, in which no other test can
def browser() -> Iterator[Browser]:
    """Chromium from the system; with REQUIRE_BROWSER=1 its absence is a failure."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        reason = "pages are looked at in Chromium, and there is none: install it (Debian: apt install chromium)"
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """A whole pipeline with faults, in which every event has come to its end."""
    with Stack(Options(events=EVENTS, source="stream", faults=True, rate=200.0, port=0)) as stack:
        wait_until("every event to end", lambda: _has_ended(stack))
        yield stack


def _has_ended(stack: Stack) -> bool:
    try:
        answer = http.get(f"{stack.web}/api/report/")
        sent = http.get(f"{stack.genesys}/_emulator/ledger").json()
    except httpx.TransportError:
        stack.check()
        return False
    if answer.status_code != 200:
        return False
    report = answer.json()
    ended = report["filtered"] + report["published"] + report["failed"]
    is_sent = sum(len(sent[name]) for name in ("match", "invalid", "filtered")) >= EVENTS
    return is_sent and ended >= EVENTS and not report["inFlight"] and report["balanced"]


@pytest.fixture
def open_page(browser: Browser, stack: Stack) -> Iterator[OpenPage]:
    """Open a page by its address; at the end no one may have complained, or asked anybody outside this machine."""
    complaints: list[tuple[str, str]] = []
    asked: list[str] = []
    pages: list[Page] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    def make(query: str = "", allowed: str = "", **options: object) -> Page:
        def listen(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning") and not (allowed and allowed in message.text):
                complaints.append((message.text, query))

        page = browser.new_page(**options)  # type: ignore[arg-type]  # whatever Playwright takes
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.append((str(error), query)))
        page.on("request", note)
        pages.append(page)
        page.goto(f"{stack.web}/{query}")
        return page

    yield make
    for page in pages:
        page.close()
    assert complaints == []
    assert {urlsplit(url).hostname for url in asked if not url.startswith("data:")} <= {"127.0.0.1"}
