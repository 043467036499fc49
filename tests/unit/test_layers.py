"""Tests that the floors of the project hold, and that every module stands on one."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
NEW = "nowhere"
IMPORT_LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]


def linted(folder):
    """Whether the contracts hold of what stands in `folder`, and what import-linter says."""
    program = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    return ended.returncode == 0, ended.stdout + ended.stderr


def test_each_floor_imports_only_from_below():
    holds, said = linted(ROOT)
    assert holds, said


def test_a_module_without_a_floor_breaks_the_contract_of_its_package(tmp_path):
    for package in IMPORT_LINTER["root_packages"]:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    containers = [name for one in IMPORT_LINTER["contracts"] for name in one.get("containers", ())]
    for container in containers:
        (tmp_path / container.replace(".", "/") / f"{NEW}.py").touch()
    holds, said = linted(tmp_path)
    assert not holds
    missing = [container for container in containers if f"{container}.{NEW}" not in said]
    assert missing == [], said


def test_every_package_with_rooms_has_floors():
    containers = {name for one in IMPORT_LINTER["contracts"] for name in one.get("containers", ())}
    for package in ("streams", "clients", "processors", "emulators"):
        rooms = {one.parent for one in (ROOT / package).glob("*/__init__.py")}
        assert len(rooms) < 2 or package in containers
