"""The dashboard in a real browser, over a whole embedded pipeline."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from streams.demo.stack import Options, Stack
from tests.kafka.pipeline import wait_until

pytestmark = pytest.mark.browser

EVENTS = 400
PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def stack():
    with Stack(Options(events=EVENTS, source="stream", faults=False, rate=100.0, port=0)) as stack:
        yield stack


def test_the_page_shows_the_numbers_of_the_report_and_they_move(stack: Stack, browser: Browser):
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        # While the worker starts, the page is told 503 and says so; that is no fault of the page.
        if message.type in ("error", "warning") and "503" not in message.text:
            complaints.append(message.text)

    page = browser.new_page()
    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    _open(page, stack)
    expect(page.locator("#state")).to_have_text("All parts are healthy", timeout=PATIENCE_MS)
    expect(page.locator("#published")).to_have_text(re.compile(r"^[1-9]"), timeout=PATIENCE_MS)
    early = int(page.locator("#published").inner_text())
    report = wait_until("every event to end", lambda: _ended(stack))
    for name in ("ingested", "filtered", "published", "failed"):
        expect(page.locator(f"#{name}")).to_have_text(str(report[name]), timeout=PATIENCE_MS)
    assert early < report["published"]
    assert page.locator("#minutes tr").count() >= 1
    assert page.locator("#failures tr").count() == len(report["failedBy"])
    assert complaints == []


def test_the_page_fits_a_phone(stack: Stack, browser: Browser):
    page = browser.new_page(viewport={"width": 360, "height": 740})
    _open(page, stack)
    expect(page.locator("#minutes tr").first).to_be_visible(timeout=PATIENCE_MS)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    table = page.get_by_role("region", name="Each minute")
    assert table.evaluate("it => it.scrollWidth > it.clientWidth")  # wider than the page: it scrolls by itself


def test_the_page_says_so_when_the_worker_does_not_answer(stack: Stack, browser: Browser):
    page = browser.new_page()
    _open(page, stack)
    expect(page.locator("#state")).to_have_text("All parts are healthy", timeout=PATIENCE_MS)
    page.route("**/api/report/", lambda route: route.abort())
    expect(page.locator("#state")).to_contain_text("The worker does not answer", timeout=PATIENCE_MS)


def _ended(stack: Stack) -> dict[str, int] | None:
    """The report, when all events have come to their end."""
    report = httpx.get(f"{stack.web}/api/report/").json()
    return report if report["filtered"] + report["published"] + report["failed"] == EVENTS else None


def _open(page: Page, stack: Stack) -> None:
    """Open the page as soon as the web server answers."""

    def answers() -> bool:
        try:
            return httpx.get(f"{stack.web}/health/live").status_code == 200
        except httpx.TransportError:
            stack.check()
            return False

    wait_until("the web server", answers)
    page.goto(stack.web)
