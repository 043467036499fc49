"""Tests of what the pages are made of: whole without a build step, and nothing in it from elsewhere."""

import re
from pathlib import Path

import pytest

ASSETS = Path(__file__).resolve().parents[4] / "streams" / "views" / "assets"
VENDOR = ASSETS / "vendor"
MODULES = sorted(ASSETS.rglob("*.js"))
OWN = [path for path in MODULES if VENDOR not in path.parents]

IMPORT = re.compile(
    r"""(?:^\s*(?:import|export)\b[^"'`;]*?\bfrom\s*|\bimport\(\s*|^\s*import\s*)["']([^"']+)["']""", re.MULTILINE
)
EXPORTED = re.compile(r"^export\s+(?:async\s+)?(?:function\*?|class|const|let)\s+(\w+)", re.MULTILINE)
NAMED = re.compile(r"""^import\s*{([^}]+)}\s*from\s*["']([^"']+)["']""", re.MULTILINE)


def name(path):
    return path.relative_to(ASSETS).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_every_import_is_a_file_that_is_there(path):
    text = path.read_text("utf-8")
    for wanted in IMPORT.findall(text):
        assert wanted.startswith("."), f"{wanted}: a browser finds no package by its name"
        assert (path.parent / wanted).resolve().is_file(), wanted


@pytest.mark.parametrize("path", OWN, ids=name)
def test_what_is_imported_by_name_is_exported(path):
    for names, wanted in NAMED.findall(path.read_text("utf-8")):
        target = (path.parent / wanted).resolve()
        if VENDOR in target.parents:
            continue
        text = target.read_text("utf-8")
        exported = set(EXPORTED.findall(text))
        for more in re.findall(r"^export\s*{([^}]+)}", text, re.MULTILINE):
            exported |= {one.split(" as ")[-1].strip() for one in more.split(",")}
        assert {one.split(" as ")[0].strip() for one in names.split(",") if one.strip()} <= exported, wanted


@pytest.mark.parametrize("path", OWN, ids=name)
def test_modules_are_short(path):
    assert len(path.read_text("utf-8").splitlines()) < 250


def test_every_page_has_what_the_app_asks_of_it():
    for page in ("now", "failures", "routes", "trace"):
        text = (ASSETS / f"{page}.js").read_text("utf-8")
        assert re.search(rf'^export const page = {{ name: "{page}", title: "\w+", Page }};$', text, re.MULTILINE)


def test_the_first_page_holds_no_script_or_style_of_its_own_and_names_only_files_that_are_there():
    text = (ASSETS / "index.html").read_text("utf-8")
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", text)  # the policy of content forbids them
    named = re.findall(r'(?:src|href)="/assets/([^"]+)"', text)
    assert named
    for one in named:
        assert (ASSETS / one).is_file(), one


def test_nothing_is_asked_of_another_server():
    for path in [*OWN, *ASSETS.rglob("*.css"), ASSETS / "index.html"]:
        text = re.sub(r'xmlns="[^"]+"|http://www\.w3\.org/2000/svg', "", path.read_text("utf-8"))
        assert not re.search(r"(?:https?:)?//[\w-]+\.\w", text.replace("// ", "")), name(path)


def test_what_is_of_others_has_its_licence_beside_it_and_stands_in_the_list():
    listed = (VENDOR / "README.md").read_text("utf-8")
    licences = {path.name.partition(".")[0] for path in VENDOR.glob("*.LICENSE.txt")}
    for path in [*VENDOR.glob("*.js"), *VENDOR.glob("*.css")]:
        assert any(path.stem == one or path.stem.startswith(f"{one}-") for one in licences), path.name
        assert f"`{path.name}`" in listed


def test_pages_do_not_style_each_other():
    styled = {}
    for page in ("now", "failures", "routes", "trace"):
        heads = re.findall(r"([^{}]+){", (ASSETS / "css" / f"{page}.css").read_text("utf-8"))
        first = {found[1] for head in heads for one in head.split(",") if (found := re.match(r"\s*\.([\w-]+)", one))}
        shared = {found for path in ("parts", "shell") for found in _classes(path)}
        for found in first - shared:
            assert found not in styled, f".{found} is styled by {styled[found]} and {page}"
            styled[found] = page


def _classes(name):
    return re.findall(r"\.([a-zA-Z][\w-]*)", (ASSETS / "css" / f"{name}.css").read_text("utf-8"))
