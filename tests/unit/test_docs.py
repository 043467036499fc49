"""The documentation names what there is: commands, counters and stages of the code, and files that it links to."""

import re
from pathlib import Path
from typing import get_args

import pytest

from processors.event.errors import StageName
from processors.metrics.counts import COUNTERS
from streams.__main__ import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXT = "\n".join(page.read_text("utf-8") for page in PAGES)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_shown(command):
    assert re.search(rf"(genesys-eventbridge |`|make ){command}[ `\n]", TEXT)


@pytest.mark.parametrize("command", sorted(set(re.findall(r"genesys-eventbridge ([a-z]+)(?= |$)", TEXT, re.MULTILINE))))
def test_every_command_that_is_shown_is_there(command):
    assert command in COMMANDS


@pytest.mark.parametrize("counter", COUNTERS)
def test_every_counter_is_named_where_prometheus_is_explained(counter):
    [row] = [line for line in TEXT.splitlines() if line.startswith("| `genesys_eventbridge_events_total`")]
    assert re.search(rf"\b{counter}\b", row)


@pytest.mark.parametrize("stage", get_args(StageName))
def test_every_stage_of_a_failure_says_where_it_is_redriven_to(stage):
    page = (ROOT / "docs" / "failures-and-replay.md").read_text("utf-8")
    assert any(line.startswith("| `") and f"`{stage}`" in line for line in page.splitlines())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page):
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def anchors(page):
    """What may stand behind `#` in a link to a page: its headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_section_leads_to_one(page):
    links = re.findall(r"\]\(([^)#:\s]*)#([^)\s]+)\)", page.read_text("utf-8"))
    assert [(file, name) for file, name in links if name not in anchors(page.parent / file if file else page)] == []


def paths():
    """What the web views answer to, as far as programs ask it."""
    for path in (ROOT / "streams" / "views").rglob("*.py"):
        found = re.findall(r'^(?:PATH = |@app\.page\()"(/[^"]+)"', path.read_text("utf-8"), re.MULTILINE)
        yield from (one for one in found if not one.startswith("/assets/"))


@pytest.mark.parametrize("path", sorted(set(paths())))
def test_every_path_of_the_web_views_is_explained(path):
    assert path.replace("{ident}", "{id}") in TEXT or path.rstrip("/") + "`" in TEXT
