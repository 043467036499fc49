"""The page Now, in a real browser, against what Genesys sent and what AWS received."""

from __future__ import annotations

import json
import re

import httpx
import jsonschema
import pytest
from confluent_kafka import Consumer, TopicPartition
from playwright.sync_api import Locator, Page, expect

from streams.demo.stack import Stack
from tests import http
from tests.e2e.conftest import EVENTS, PATIENCE_MS, OpenPage

pytestmark = pytest.mark.browser

#: Seconds that the broker may take for an answer.
TIMEOUT_S = 30


def number(locator: Locator) -> int:
    return int(re.sub(r"\D", "", locator.inner_text()))


def count(page: Page, name: str) -> Locator:
    return page.locator(f"[data-count={name}]")


def failure_records(stack: Stack) -> int:
    """Records on `failures`: one for each time that an event failed, so again when a redriven one fails again."""
    consumer = Consumer({"bootstrap.servers": stack.environment["KAFKA_BOOTSTRAP_SERVERS"], "group.id": "e2e"})
    try:
        topics = consumer.list_topics(timeout=TIMEOUT_S).topics
        (name,) = (name for name in topics if name.endswith("failures"))
        parts = [TopicPartition(name, part) for part in topics[name].partitions]
        return sum(consumer.get_watermark_offsets(part, TIMEOUT_S)[1] for part in parts)
    finally:
        consumer.close()


@pytest.fixture(scope="module")
def truth(stack: Stack) -> dict[str, int]:
    """What each side of the pipeline says of itself, without asking it."""
    sent = http.get(f"{stack.genesys}/_emulator/ledger").json()
    received = http.get(f"{stack.aws}/_emulator/events", params={"since": 0}).json()["events"]
    return {
        "raw": EVENTS,
        "published": len({one["detail"]["eventId"] for one in received}),
        "filtered": len(sent["filtered"]),
        "failed": len(sent["invalid"]),
    }


def test_every_number_is_what_the_services_saw(open_page: OpenPage, truth: dict[str, int], stack: Stack):
    page = open_page("?page=now&range=24h")
    for name, wanted in truth.items():
        expect(count(page, name)).to_have_text(str(wanted))
    expect(page.get_by_text("✓ balanced")).to_be_visible()
    parts = ("published", "filtered", "failed", "repeated", "inFlight")
    assert number(count(page, "raw")) == sum(number(count(page, name)) for name in parts)
    expect(count(page, "range-published")).to_have_text(str(truth["published"]))
    expect(count(page, "range-failures")).to_have_text(str(failure_records(stack)))


def test_what_is_told_is_what_the_api_is_said_to_tell(stack: Stack):
    document = http.get(f"{stack.web}/api/openapi.json").json()
    paths = ("/api/report/", "/api/report/?range=1h", "/api/lag/", "/api/status/", "/api/history/", "/api/live/")
    for path in paths:
        said = document["paths"][path.partition("?")[0]]["get"]["responses"]["200"]["content"]["application/json"]
        whole = {**said["schema"], "components": document["components"]}
        jsonschema.validate(http.get(stack.web + path).json(), whole, format_checker=jsonschema.FormatChecker())
    said = document["paths"]["/api/stream/"]["get"]["responses"]["200"]["content"]["text/event-stream"]["schema"]
    events = [
        {"event": event.group(1), "data": event.group(2)}
        for event in re.finditer(r"event: (\w+)\ndata: (.*)\n\n", _first_of_stream(stack))
    ]
    assert {one["event"] for one in events} == {"report", "lag", "status", "minutes"}
    jsonschema.validate(events, {**said, "components": document["components"]})
    for one in events:
        [shape] = [kind for kind in said["items"]["oneOf"] if kind["properties"]["event"]["const"] == one["event"]]
        schema = shape["properties"]["data"]["contentSchema"]
        jsonschema.validate(json.loads(one["data"]), {**schema, "components": document["components"]})


def _first_of_stream(stack: Stack) -> str:
    """What the stream tells at once."""
    told = ""
    with httpx.stream("GET", f"{stack.web}/api/stream/", timeout=PATIENCE_MS / 1000) as stream:
        for text in stream.iter_text():
            told += text
            if told.count("event:") >= 4:
                return told
    raise AssertionError(told)


def test_the_browser_keeps_what_the_pages_are_made_of(open_page: OpenPage, stack: Stack):
    page = open_page("?page=now")
    expect(page.locator(".freshness")).to_have_text("live")
    for path in ("/", "/assets/app.js"):
        first = http.get(stack.web + path)
        assert (first.headers["cache-control"], first.headers["content-encoding"]) == ("no-cache", "gzip")
        again = http.get(stack.web + path, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert http.get(stack.web + path, headers={"Accept-Encoding": "identity"}).text == first.text
    assert http.get(f"{stack.web}/api/report/").headers["cache-control"] == "no-store"


def test_each_minute_adds_up(open_page: OpenPage, truth: dict[str, int], stack: Stack):
    page = open_page("?page=now&range=1h")
    page.get_by_text("As a table").click()
    rows = page.get_by_role("region", name="Each minute").locator("tbody tr")
    expect(rows.first).to_be_visible(timeout=PATIENCE_MS)
    cells = [row.locator("td").all_inner_texts() for row in rows.all()]
    assert sum(int(row[1]) for row in cells) == truth["published"]
    assert sum(int(row[2]) for row in cells) == failure_records(stack)


def test_a_place_of_the_flow_opens_to_its_partitions(open_page: OpenPage, truth: dict[str, int]):
    page = open_page("?page=now")
    place = page.get_by_role("link", name=re.compile(r"^raw 400 in, none waits"))
    place.focus()
    page.keyboard.press("Enter")
    rows = page.get_by_role("region", name="Partitions").locator("tbody tr")
    expect(rows.first).to_be_visible()
    ends = [row.locator("td").nth(1).inner_text() for row in rows.all()]
    assert sum(int(text.replace(",", "")) for text in ends) >= truth["raw"]
    expect(page).to_have_url(re.compile("stage=raw"))


def test_a_stage_is_paused_and_goes_on_for_all_to_see(open_page: OpenPage, stack: Stack):
    page = open_page("?page=now&stage=mirror")
    page.get_by_role("button", name="Pause failures…").click()
    page.get_by_label("Why").fill("the queue is being moved")
    page.get_by_role("button", name="Pause failures in the whole group").click()
    note = page.locator(".todo")
    expect(note).to_contain_text("failures is paused by")
    expect(note).to_contain_text("the queue is being moved")
    assert [one["stage"] for one in http.get(f"{stack.web}/api/status/").json()["paused"]] == ["failures"]
    note.get_by_role("button", name="Resume failures").click()
    expect(note).to_be_hidden()
    expect(page.locator(".marks").filter(has_text="pause failures").first).to_be_visible()


def test_what_does_not_balance_is_told(open_page: OpenPage):
    page = open_page("?page=trace")
    page.evaluate("""async () => {
      const { html, render } = await import("/assets/shell/html.js");
      const { Ledger } = await import("/assets/now/ledger.js");
      const ends = { published: 4, filtered: 3, failed: 1, repeated: 0, inFlight: 0 };
      const report = { raw: 10, ...ends, missing: 0, balanced: false };
      render(html`<${Ledger} report=${report} />`, document.querySelector("main"));
    }""")
    expect(page.locator(".ledger.off")).to_contain_text("2 missing")
