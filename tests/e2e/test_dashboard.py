"""The pages in a real browser, over a whole embedded pipeline."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from streams.demo.stack import Options, Stack
from tests.kafka.pipeline import wait_until

pytestmark = pytest.mark.browser

EVENTS = 400
PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def stack():
    with Stack(Options(events=EVENTS, source="stream", faults=False, rate=100.0, port=0)) as stack:
        wait_until("the web server", lambda: _answers(stack))
        yield stack


def _answers(stack: Stack) -> bool:
    try:
        return httpx.get(f"{stack.web}/health/live").status_code == 200
    except httpx.TransportError:
        stack.check()
        return False


def test_the_address_is_the_state(stack: Stack, browser: Browser):
    page = browser.new_page()
    page.goto(f"{stack.web}/?page=failures")
    expect(page.get_by_role("heading", level=1)).to_have_text("Failures")
    page.get_by_role("link", name="Trace").click()
    expect(page).to_have_url(f"{stack.web}/?page=trace")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Failures")


def test_the_keyboard_suffices(stack: Stack, browser: Browser):
    page = browser.new_page()
    page.goto(stack.web)
    _follow(page)
    page.keyboard.press("g")
    page.keyboard.press("r")
    expect(page).to_have_url(f"{stack.web}/?page=routes")
    page.keyboard.press("/")
    page.keyboard.type("some-id")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{stack.web}/?page=trace&id=some-id")


def test_the_page_says_so_when_the_worker_does_not_answer(stack: Stack, browser: Browser):
    page = browser.new_page()
    page.goto(stack.web)
    _follow(page)
    page.route("**/api/**", lambda route: route.abort())
    expect(page.get_by_role("status").first).to_contain_text("as of", timeout=PATIENCE_MS)


def _follow(page: Page) -> None:
    expect(page.get_by_role("status").first).to_have_text("live", timeout=PATIENCE_MS)
