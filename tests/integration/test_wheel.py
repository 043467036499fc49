"""This module installs the wheel and runs it outside the checkout: everything it needs must be in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UV = Path(sys.executable).with_name("uv")


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A folder with the wheel's files alone; what it depends on is the tests' own."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([UV, "build", "-q", "--wheel", "--out-dir", folder / "dist", ROOT], check=True, timeout=300)
    [wheel] = (folder / "dist").glob("*.whl")
    target = folder / "installed"
    command = [UV, "pip", "install", "-q", "--python", sys.executable, "--no-deps", "--target", target, wheel]
    subprocess.run(command, check=True, timeout=300)
    return target


def run(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(installed), sysconfig.get_paths()["purelib"]])
    return subprocess.run(
        [sys.executable, "-m", "streams", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "DATA_DIR": str(folder / "data")},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_all_that_is_no_python_is_in_the_wheel(installed):
    packages = ("streams", "agents", "processors", "clients", "settings", "emulators", "schemas")
    tracked = subprocess.run(["git", "ls-files", *packages], cwd=ROOT, capture_output=True, text=True, check=True)
    wanted = {name for name in tracked.stdout.splitlines() if not name.endswith((".py", ".md"))}
    assert wanted
    assert {name for name in wanted if not (installed / name).is_file()} == set()


def test_the_demo_runs_from_another_folder(installed, tmp_path):
    ended = run(installed, tmp_path, "demo", "--events", "200", "--exit")
    assert ended.returncode == 0, ended.stderr[-2000:]
    told = json.loads(ended.stdout.splitlines()[-1])
    assert (told["lost"], told["published"] > 0) == (0, True)
    assert str(ROOT) not in ended.stderr


def test_the_routes_of_the_wheel_hold(installed, tmp_path):
    ended = run(installed, tmp_path, "routes", "test", "--json")
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["failed"] == 0
