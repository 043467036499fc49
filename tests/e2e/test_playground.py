"""The pages Routes and Trace in a real browser, over a whole embedded pipeline."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from settings import Settings
from streams.demo.stack import Options, Stack
from tests import http
from tests.e2e.test_shell import look_with_axe
from tests.kafka.pipeline import wait_until

pytestmark = pytest.mark.browser

EVENTS = 60
PATIENCE_MS = 60_000


class WithOwnRoutes(Stack):
    """A pipeline whose routes can be changed while it runs."""

    @property
    def routes(self) -> Path:
        return self.folder / "routes"

    def _worker(self) -> subprocess.Popen[bytes]:
        shutil.copytree(Settings.model_fields["routes_dir"].default, self.routes)
        self.environment["ROUTES_DIR"] = str(self.routes)
        return super()._worker()


@pytest.fixture(scope="module")
def stack() -> Iterator[WithOwnRoutes]:
    with WithOwnRoutes(Options(events=EVENTS, source="stream", faults=False, rate=200.0, port=0)) as stack:
        wait_until("every event to end", lambda: _ended(stack))
        yield stack


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that complains of nothing and asks nobody but the worker."""
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    complaints: list[str] = []
    page.on("console", lambda one: complaints.append(one.text) if one.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda one: None if "//127.0.0.1:" in one.url or one.url.startswith("blob:") else complaints.append(one.url),
    )
    yield page
    page.close()
    assert complaints == []


def test_the_event_of_a_failure_is_tried_where_it_failed(stack: Stack, page: Page):
    [failure, *_] = http.get(f"{stack.web}/api/failures/", params={"stage": "validate"}).json()["failures"]
    place = f"{failure['partition']}/{failure['offset']}"
    page.goto(f"{stack.web}/?page=routes&route=interaction&failure={place}")
    problems = page.get_by_label("Problems").get_by_role("listitem")
    expect(problems.first).to_be_visible(timeout=PATIENCE_MS)
    assert look_with_axe(page) == []
    _write(page, "Filter (JSONata)", "false")
    expect(page.get_by_label("Result", exact=True).get_by_role("status")).to_contain_text(
        "filtered", timeout=PATIENCE_MS
    )
    page.get_by_role("link", name="see and redrive it").click()
    expect(page.get_by_role("heading", name=f"Record {place}")).to_be_visible(timeout=PATIENCE_MS)


def test_a_failing_mapping_is_mended_and_taken_home(stack: Stack, page: Page):
    page.goto(f"{stack.web}/?page=routes&route=interaction")
    outcome = page.get_by_label("Result", exact=True).get_by_role("status")
    expect(outcome).to_have_text("mapped")
    _write(page, "Mapping (JSONata)", '{\n  "time": payload.type + 1\n}')
    expect(outcome).to_have_text("fails")
    problems = page.get_by_label("Problems")
    expect(problems.get_by_role("button")).to_have_text("Mapping 2:24")
    expect(page.locator(".mapping .cm-lintRange-error")).to_have_text("+")

    _write(page, "Mapping (JSONata)", '{"time": createdTime, "detail": {"type": payload.type}}')
    missing = problems.get_by_role("listitem").filter(has_text="detail.interactionId")
    expect(missing).to_contain_text("is missing")

    page.get_by_role("button", name="Back to the route").click()
    expect(outcome).to_have_text("mapped")
    expect(problems).to_contain_text("Nothing is wrong.")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the folder").click()
    with zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes())) as archive:
        example = json.loads(archive.read("interaction/examples/from-the-playground.json"))
    assert example["expect"]["detail-type"] == "interaction.event"


def test_what_is_typed_stays_as_it_was_typed(stack: Stack, page: Page):
    page.goto(f"{stack.web}/?page=routes")
    page.get_by_label("Mapping (JSONata)").click()
    page.keyboard.press("Control+a")
    page.keyboard.type('{"detail": {"text": $substr', delay=5)
    completion = page.get_by_role("listbox", name="Completions").get_by_role("option").first
    expect(completion).to_have_text("$substring")
    completion.click()
    page.keyboard.type("(id, 0)")
    expect(page.get_by_label("Mapping (JSONata)")).to_have_text(
        '{"detail": {"text": $substring(id, 0)}}', timeout=PATIENCE_MS
    )
    page.get_by_label("Filter (JSONata)").press("/")  # no key of the pages
    assert page.url.endswith("?page=routes")


def test_what_a_draft_would_change_in_the_last_events_is_told(stack: Stack, page: Page):
    page.goto(f"{stack.web}/?page=routes&route=interaction")
    expect(page.get_by_label("Result", exact=True).get_by_role("status")).to_have_text("mapped")
    _write(page, "Filter (JSONata)", "false")
    compare = page.get_by_role("button", name="Compare")
    compare.click()
    region = page.get_by_role("region", name="What would change")
    expect(region).to_contain_text("all there are")
    numbers = http.get(f"{stack.web}/api/routes/", params={"range": "24h"}).json()["routes"]
    [taken] = [one["mapped"] + one["failed"] for one in numbers if one["name"] == "interaction"]
    expect(region).to_contain_text(f"{taken} now filtered")


def test_an_event_of_raw_is_tried_and_one_of_no_json_is_told_at_its_place(stack: Stack, page: Page):
    one = _raw(stack)[0]
    page.goto(f"{stack.web}/?page=routes&route=interaction&event=raw:{one['partition']}:{one['offset']}")
    editor = page.get_by_label("Event (JSON)")
    expect(editor).to_contain_text(json.dumps(one["event"]["createdTime"]))
    _write(page, "Event (JSON)", '{"id": 1,\n "x": tru }')
    expect(page.get_by_label("Problems").get_by_role("button")).to_have_text("Event 2:7")
    assert "event=" not in page.url


def test_the_stories_of_a_published_and_of_a_failed_event_are_told(stack: Stack, page: Page):
    stories = {kind: _with_end(stack, kind) for kind in ("published", "failed")}
    page.goto(f"{stack.web}/?page=trace&id={stories['published']['id']}")
    line = page.get_by_role("list").filter(has=page.get_by_role("heading", name="In raw"))
    expect(line.get_by_role("heading")).to_have_text(
        ["Received from the source", "In raw", "Mapped", "On its way to the bus", "On the bus"], timeout=PATIENCE_MS
    )
    entry = stories["published"]["steps"][-1]["entryId"]
    expect(line).to_contain_text(entry)

    page.get_by_label("Id of an event, a conversation or an EventBridge entry").fill(entry)
    page.get_by_role("button", name="Trace").click()
    expect(page.locator(".traced")).to_contain_text("EventBridge entry")

    assert look_with_axe(page) == []

    failed = stories["failed"]
    page.goto(f"{stack.web}/?page=trace&id={failed['id']}")
    expect(page.get_by_role("heading", name=re.compile("^Failed: SchemaViolation"))).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("link", name="Try it on routes").click()
    expect(page.get_by_label("Event (JSON)")).to_contain_text(failed["key"])


def test_what_nobody_knows_is_said_and_no_page_is_wider_than_a_phone(stack: Stack, page: Page):
    page.set_viewport_size({"width": 390, "height": 844})
    for address in ("/?page=trace&id=nobody-knows", "/?page=routes&route=interaction"):
        page.goto(stack.web + address)
        known = page.get_by_text("names nobody-knows") if "trace" in address else page.get_by_label("Mapping (JSONata)")
        expect(known).to_be_visible(timeout=PATIENCE_MS)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_failure_is_found_understood_mended_and_redriven_onto_the_bus(stack: WithOwnRoutes, page: Page):
    page.goto(f"{stack.web}/?page=now")
    page.evaluate("window.stayed = true")  # goes with the page, if it is loaded again
    page.get_by_role("link", name="failed").click()
    lacking = page.get_by_role("row", name=re.compile("detail.priority"))
    lacking.get_by_role("link").click()
    number = int(lacking.locator("td").nth(6).inner_text())

    expect(page.locator(".failure")).to_have_count(number, timeout=PATIENCE_MS)
    page.locator(".failure a").first.click()
    mark = page.get_by_role("group", name="Mapped event").locator(".marked.bad")
    expect(mark).to_contain_text("is missing", timeout=PATIENCE_MS)
    page.get_by_role("link", name="Try it on the routes").click()
    problems = page.get_by_label("Problems")
    expect(problems).to_contain_text("detail.priority", timeout=PATIENCE_MS)

    text = (stack.routes / "interaction" / "mapping.jsonata").read_text("utf-8")
    _write(page, "Mapping (JSONata)", text.replace("payload.priority", 'payload.priority ? payload.priority : "unset"'))
    expect(problems).to_contain_text("Nothing is wrong.", timeout=PATIENCE_MS)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the folder").click()
    with zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes())) as archive:
        archive.extractall(stack.routes)
    expect(page.get_by_text("expect something else")).to_contain_text("priority-missing.")
    (stack.routes / "interaction" / "examples" / "priority-missing.json").unlink()
    wait_until("the mended route", lambda: "unset" in _mapping_in_use(stack))

    page.get_by_role("link", name="see and redrive it").click()
    page.get_by_role("link", name="Close the record").click()
    lacking.get_by_role("link").click()
    page.get_by_role("button", name=f"Preview {number} open of these").click()
    page.get_by_role("button", name=f"Redrive {number}").click()
    expect(page.locator(".redrive")).to_contain_text(f"{number} went back: {number} to raw", timeout=PATIENCE_MS)
    wait_until("them on the bus", lambda: _on_the_bus(stack, "unset") == number)
    assert page.evaluate("window.stayed")


def _mapping_in_use(stack: Stack) -> str:
    return str(http.get(f"{stack.web}/api/routes/interaction/").json()["files"]["mapping"])


def _on_the_bus(stack: Stack, priority: str) -> int:
    events = http.get(f"{stack.aws}/_emulator/events", params={"since": 0}).json()["events"]
    return len({one["detail"]["eventId"] for one in events if one["detail"].get("priority") == priority})


def _write(page: Page, label: str, text: str) -> None:
    """Put a text in the place of what an editor holds, as somebody who pastes does."""
    editor = page.get_by_label(label)
    editor.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def _raw(stack: Stack) -> list[dict[str, Any]]:
    return http.get(f"{stack.web}/api/raw/", params={"limit": EVENTS}).json()["events"]


def _with_end(stack: Stack, kind: str) -> dict[str, Any]:
    """The story of an event that ended so."""
    for one in _raw(stack):
        story = http.get(f"{stack.web}/api/trace/{one['eventId']}/").json()
        if story["steps"][-1]["kind"] == kind and len(story["events"]) == 1:
            return story
    raise AssertionError(f"no event has {kind}")


def _ended(stack: Stack) -> bool:
    """Whether all events have come to their end, by Kafka's word."""
    try:
        report = http.get(f"{stack.web}/api/report/").json()
    except httpx.TransportError:
        stack.check()
        return False
    return report.get("ingested", 0) >= EVENTS and report["balanced"] and not report["inFlight"]
