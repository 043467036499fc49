"""This script makes the pictures of the pages in docs/screenshots/, of a demo with faults; or those that are named."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

from streams.demo.stack import Options, Stack

FOLDER = Path(__file__).parent / "screenshots"

#: Bytes of one picture at most, so that the repository stays small.
MAX_BYTES = 200_000

#: Seconds that an answer may take on a busy machine.
PATIENCE_S = 60.0

#: Seconds that the demo runs before, so that minutes and failures are there to be seen, and events a second.
RUN_S, RATE = 60.0, 12.0

WIDE: dict[str, Any] = {"viewport": {"width": 1360, "height": 1000}}
TALL: dict[str, Any] = {"viewport": {"width": 1200, "height": 800}}
DESK: dict[str, Any] = {"viewport": {"width": 1440, "height": 860}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True}

#: File, address, how it is looked at, and what is waited for.
PICTURES = [
    ("now-light", "?page=now&range=5m", WIDE | {"color_scheme": "light"}, ".chart canvas"),
    ("now-dark", "?page=now&range=5m&stage=validated", WIDE | {"color_scheme": "dark"}, ".chart canvas"),
    ("now-phone", "?page=now&range=5m", PHONE | {"color_scheme": "light"}, ".picture svg"),
    ("failures-light", "?page=failures&range=5m&limit=6&record={record}", TALL | {"color_scheme": "light"}, ".json"),
    ("failures-dark", "?page=failures&range=5m&limit=6&record={record}", TALL | {"color_scheme": "dark"}, ".json"),
    ("failures-phone", "?page=failures&range=5m&limit=6&record={record}", PHONE | {"color_scheme": "dark"}, ".json"),
    ("routes-light", "?page=routes&route=interaction&failure={record}", DESK | {"color_scheme": "light"}, ".problems"),
    ("routes-dark", "?page=routes&route=interaction", DESK | {"color_scheme": "dark"}, ".noproblems"),
    ("routes-phone", "?page=routes&route=interaction", PHONE | {"color_scheme": "light"}, ".noproblems"),
    ("trace-light", "?page=trace&id={event}", WIDE | {"color_scheme": "light"}, ".timeline li"),
    ("trace-dark", "?page=trace&id={failed}", WIDE | {"color_scheme": "dark"}, ".timeline li"),
    ("trace-phone", "?page=trace&id={event}", PHONE | {"color_scheme": "light"}, ".timeline li"),
]

#: What is scrolled to, by what is waited for.
SCROLLED = {".json": ".record", ".problems": ".playground"}


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's browser."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        sys.exit("the pictures are made with Chromium: install it (Debian: apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def ended(stack: Stack) -> int:
    """Events that have come to their end by now."""
    report = httpx.get(f"{stack.web}/api/report/", timeout=PATIENCE_S).json()
    return int(report["published"] + report["filtered"] + report["failed"])


def is_ready(stack: Stack) -> bool:
    """Whether the worker answers, and events have come to their end."""
    stack.check()
    try:
        return ended(stack) > 0
    except (httpx.HTTPError, KeyError):  # nobody listens yet, or the tables are being recovered
        return False


def places(stack: Stack) -> dict[str, str]:
    """A failure that lacks something, as that is easily seen, its event, and one that is on the bus after a retry."""
    found = httpx.get(f"{stack.web}/api/failures/", params={"limit": 200}, timeout=PATIENCE_S).json()["failures"]
    chosen = next((one for one in found if one["path"] == "detail.priority"), found[0])
    published = httpx.get(f"{stack.aws}/_emulator/events", params={"since": 0}, timeout=PATIENCE_S).json()["events"]
    newest = [one["detail"]["eventId"] for one in reversed(published[-300:])]
    stories = (httpx.get(f"{stack.web}/api/trace/{ident}/", timeout=PATIENCE_S).json() for ident in newest)
    tried = (one["id"] for one in stories if any(step["kind"] == "attempt" for step in one["steps"]))
    return {
        "record": f"{chosen['partition']}/{chosen['offset']}",
        "failed": chosen["eventId"],
        "event": next(tried, newest[0]),
    }


def take(page: Page, path: Path) -> None:
    """A picture of what is in the window, in as few bytes as it may have."""
    page.screenshot(path=path)
    size = path.stat().st_size
    if size > MAX_BYTES:
        sys.exit(f"{path} has {size} bytes, above {MAX_BYTES}")
    print(f"{path.relative_to(FOLDER.parent)}: {size} bytes")


def main() -> None:
    """Make all pictures."""
    FOLDER.mkdir(exist_ok=True)
    with Stack(Options(events=None, source="stream", faults=True, rate=RATE, port=0)) as stack, chromium() as browser:
        while not is_ready(stack):
            time.sleep(0.5)  # between two looks
        time.sleep(RUN_S)
        stack.check()
        known = places(stack)
        wanted = [one for one in PICTURES if not sys.argv[1:] or one[0] in sys.argv[1:]]
        for name, address, options, waited in wanted:
            page = browser.new_page(**options)
            page.set_default_timeout(1000 * PATIENCE_S)
            page.goto(f"{stack.web}/{address.format(**known)}")
            page.locator(waited).first.wait_for()
            page.wait_for_timeout(4_000)  # rates are taken over some seconds
            if seen := SCROLLED.get(waited):
                page.locator(seen).evaluate("it => it.scrollIntoView()")
            take(page, FOLDER / f"{name}.png")
            page.close()


if __name__ == "__main__":
    main()
