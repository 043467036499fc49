"""The page Failures, in a real browser: from a number to its cause, and back to where it failed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from streams.demo.stack import Stack
from tests import http
from tests.e2e.conftest import PATIENCE_MS, OpenPage
from tests.kafka.pipeline import wait_until

pytestmark = pytest.mark.browser


def failures(stack: Stack, **query: str) -> dict:
    return http.get(f"{stack.web}/api/failures/", params={"limit": 1_000, **query}).json()


def test_a_failure_is_found_understood_and_redriven_by_the_keyboard_alone(open_page: OpenPage, stack: Stack):
    sent = http.get(f"{stack.genesys}/_emulator/ledger").json()
    page = open_page("?page=now")
    expect(page.locator("[data-count=failed]")).to_have_text(str(len(sent["invalid"])))

    _tab_to(page, page.get_by_role("link", name="failed"))
    page.keyboard.press("Enter")
    expect(page.locator("[data-count=open]")).to_have_text(str(len(sent["invalid"])))

    missing = page.get_by_role("row", name=re.compile("detail.priority"))
    number = int(missing.locator("td").nth(6).inner_text())
    _tab_to(page, missing.get_by_role("link"))
    page.keyboard.press("Enter")
    expect(page.locator(".failure")).to_have_count(min(number, 50))

    _tab_to(page, page.locator(".failure a").first)
    page.keyboard.press("Enter")
    expect(page.get_by_role("group", name="Original event")).to_contain_text('"payload"')
    mark = page.get_by_role("group", name="Mapped event").locator(".marked.bad")
    expect(mark).to_contain_text('"priority"')
    expect(mark).to_contain_text("is missing")
    page.keyboard.press("Escape")
    expect(page.get_by_role("group", name="Original event")).to_be_hidden()

    _tab_to(page, page.get_by_role("button", name=f"Preview {number} open of these"))
    page.keyboard.press("Enter")
    expect(page.locator(".told")).to_contain_text(f"{number} would go back: {number} to raw")
    assert failures(stack, state="redriven")["failures"] == []  # so far it is a rehearsal

    _tab_to(page, page.get_by_role("button", name=f"Redrive {number}"))
    page.keyboard.press("Enter")
    expect(page.locator(".redrive")).to_contain_text(f"{number} went back: {number} to raw")
    assert len(failures(stack, state="redriven")["failures"]) == number
    # They lack what they lacked, so they fail again: each has a record of its own, and is open.
    wait_until("they fail again", lambda: len(failures(stack, state="open")["failures"]) == len(sent["invalid"]))
    done = http.get(f"{stack.web}/api/actions/").json()["actions"]
    assert "redrive" in [one["what"] for one in done]


def test_single_records_are_picked_and_redriven_slowly(open_page: OpenPage, stack: Stack):
    page = open_page("?page=failures")
    boxes = page.locator(".failure input")
    expect(boxes.first).to_be_visible(timeout=PATIENCE_MS)
    before = len(failures(stack, state="redriven")["failures"])
    for index in range(3):
        boxes.nth(index).check()
    page.get_by_label("at most").fill("4")
    page.get_by_role("button", name="Preview the 3 picked").click()
    page.get_by_role("button", name="Redrive 3").click()
    expect(page.locator(".redrive")).to_contain_text("3 went back")
    assert len(failures(stack, state="redriven")["failures"]) == before + 3


def test_the_address_of_a_record_is_enough(open_page: OpenPage, stack: Stack):
    newest = failures(stack)["failures"][0]
    page = open_page(f"?page=failures&record={newest['partition']}/{newest['offset']}")
    expect(page.locator("#record-title")).to_contain_text("open")
    expect(page.locator(".record")).to_contain_text(newest["eventId"])
    page.get_by_role("link", name="Trace this event").click()
    expect(page).to_have_url(re.compile(newest["eventId"]))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/failures/?limit=0", 400),
        ("/api/failures/?state=closed", 400),
        ("/api/failures/?range=soon", 400),
        ("/api/failures/0/999999/", 404),
        ("/api/failures/99/0/", 404),
        ("/api/failures/x/0/", 400),
        ("/api/redrive/nothing/", 404),
    ],
)
def test_bad_questions_are_answered_in_one_shape(stack: Stack, path: str, status: int):
    answer = http.get(stack.web + path)
    assert answer.status_code == status
    assert set(answer.json()) == {"error", "message"}


def _tab_to(page: Page, target, most: int = 80) -> None:
    """Go there by the Tab key alone."""
    expect(target).to_be_visible(timeout=PATIENCE_MS)
    for _ in range(most):
        page.keyboard.press("Tab")
        if target.evaluate("it => it === document.activeElement"):
            return
    raise AssertionError(f"the keyboard does not lead to {target}")
