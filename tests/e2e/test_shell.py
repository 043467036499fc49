"""What stands around the pages, in a real browser: the address, the keyboard, the token, and being late."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from streams.demo.stack import Stack
from tests import http
from tests.e2e.conftest import OpenPage

pytestmark = pytest.mark.browser

AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text("utf-8")

PAGES = ("now", "failures", "routes", "trace")


def test_the_address_is_the_state(open_page: OpenPage):
    page = open_page("?page=failures&range=1h")
    expect(page.get_by_role("heading", level=1)).to_have_text("Failures")
    expect(page.get_by_role("button", name="1 hour")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("link", name="Trace", exact=True).click()
    expect(page).to_have_url(re.compile(r"\?page=trace$"))
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Failures")
    page.get_by_role("button", name="Local").click()
    page.reload()
    expect(page.get_by_role("button", name="UTC")).to_be_visible()


def test_an_id_is_looked_for_from_the_keyboard(open_page: OpenPage):
    page = open_page()
    _follow(page)
    page.keyboard.press("/")
    page.keyboard.type("some id")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"\?page=trace&id=some\+id$"))


def test_keys_are_told_and_lead_to_pages(open_page: OpenPage):
    page = open_page()
    _follow(page)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Failures")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("r")
    expect(page).to_have_url(re.compile(r"\?page=routes$"))


def test_the_first_step_of_the_keyboard_leads_past_the_frame(open_page: OpenPage):
    page = open_page()
    _follow(page)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the page")
    expect(skip).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_the_page_says_as_of_when_it_is(open_page: OpenPage):
    page = open_page("?page=trace")
    _follow(page)
    page.evaluate("() => { window.fetch = () => new Promise(() => {}); }")  # nothing comes any more
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # and the stream is begun anew
    expect(page.locator(".freshness")).to_contain_text("as of")
    expect(page.locator("main")).to_have_class("stale")


@pytest.mark.parametrize("right", ["s3cret", "пароль"])
def test_a_token_is_asked_for_and_kept_in_the_tab(open_page: OpenPage, right: str):
    wanted = f"Bearer {right}"  # Playwright reads the bytes of a header as UTF-8, as the worker does

    def guard(route: Route) -> None:
        given = route.request.headers.get("authorization")
        if given == wanted:
            route.continue_(
                headers={name: text for name, text in route.request.headers.items() if name != "authorization"}
            )
        else:
            route.fulfill(status=401, json={"error": "unauthorized", "message": "send a token"})

    page = open_page("?page=trace", allowed="401")
    page.route("**/api/**", guard)
    page.goto(page.url)
    page.get_by_role("textbox", name="Token").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("does not know this token")
    page.get_by_role("textbox", name="Token").fill(right)
    page.get_by_role("button", name="Sign in").click()
    _follow(page)
    assert page.evaluate("sessionStorage.getItem('token')") == right
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("textbox", name="Token")).to_be_visible()


def test_without_scripts_the_page_says_where_the_numbers_are(stack: Stack):
    # Chromium driven from outside shows no <noscript> at all.
    text = http.get(stack.web).text
    told = text[text.index("<noscript>") : text.index("</noscript>")]
    for path in re.findall(r'href="([^"]+)"', told):
        assert http.get(stack.web + path).status_code == 200


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("options", [{"color_scheme": "light"}, {"color_scheme": "dark"}], ids=["light", "dark"])
def test_nothing_keeps_people_from_using_a_page(open_page: OpenPage, name: str, options: dict[str, str]):
    page = open_page(f"?page={name}", **options)
    _follow(page)
    if name == "failures":
        page.locator(".failure a").first.click()
        expect(page.locator(".json").first).to_be_visible()
    found = look_with_axe(page)
    assert found == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_a_phone(open_page: OpenPage, name: str):
    page = open_page(f"?page={name}", viewport={"width": 360, "height": 740})
    _follow(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert look_with_axe(page) == []


def look_with_axe(page: Page) -> list[str]:
    """What is serious of what axe-core finds."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def _follow(page: Page) -> None:
    expect(page.locator(".freshness")).to_have_text("live")
