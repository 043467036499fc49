"""Tests that every path and every module that a comment, a docstring, a string or a page names is there."""

import ast
import io
import re
import subprocess
import sysconfig
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = Path(sysconfig.get_path("purelib"))
PACKAGES = ("streams", "agents", "processors", "clients", "settings", "emulators", "schemas", "tests", "bench", "docs")

#: Whose own paths comments name; they are looked for where they are installed.
FOREIGN = ("faust", "mode", "aiokafka", "moto", "websockets", "jsonata", "aioboto3", "botocore")

ENDINGS = (".py", ".md", ".toml", ".yml", ".yaml", ".json")
TEXTS = (*ENDINGS, "Dockerfile", "Makefile", ".dockerignore", "run")

#: `folder/module.py`, `module.py`, `folder/`, and each of them with `:function` or `:Class.method` behind it.
PATH = re.compile(
    rf"(?<![\w./{{<*:-])((?:(?:{'|'.join(PACKAGES + FOREIGN)})/[\w./-]*\w/?)|(?:[\w-]+/)*[\w-]+\.py)"
    r"(?::([A-Za-z_][\w.]*))?(?![\w*<{])"
)
DOTTED = re.compile(rf"(?<![\w./-])((?:{'|'.join(PACKAGES[:-1])})(?:\.\w+)+)(?![\w/*(])")


def _files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [
        ROOT / name
        for name in listed.splitlines()
        if name.endswith(TEXTS) and "cases/" not in name and ROOT / name != Path(__file__)
    ]


def _prose(path: Path) -> Iterator[str]:
    """What is not code in a file of code; the whole of any other."""
    text = path.read_text("utf-8")
    if path.suffix != ".py":
        yield text
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING):
            is_format = (
                token.type == tokenize.STRING and "f" in token.string.partition(token.string.lstrip("rbfRBF"))[0]
            )
            yield re.sub(r"{[^{}]*}", "", token.string) if is_format else token.string


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def _has(path: Path, symbol: str) -> bool:
    """Whether a module defines `function`, `Class`, `Class.method` or `NAME`."""
    body: list[ast.stmt] = _tree(path).body
    for name in symbol.split("."):
        found = [one for one in body if name in _names(one)]
        if not found:
            return False
        if isinstance(found[0], ast.ImportFrom):
            return True
        body = getattr(found[0], "body", [])
    return True


def _names(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.If | ast.Try):
        return {name for one in statement.body for name in _names(one)}
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.ImportFrom):
        return {one.asname or one.name for one in statement.names}
    targets = getattr(statement, "targets", [getattr(statement, "target", None)])
    return {one.id for target in targets if target for one in ast.walk(target) if isinstance(one, ast.Name)}


def _resolves(name: str, beside: Path, symbol: str | None) -> bool:
    bases = (INSTALLED,) if name.split("/")[0] in FOREIGN else (ROOT, beside.parent)
    for base in bases:
        found = base / name
        if found.is_file() and (symbol is None or _has(found, symbol)):
            return True
        if symbol is None and (found.is_dir() or found.with_suffix(".py").is_file()):
            return True
    return False


def _is_module(dotted: str) -> bool:
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        base, symbol = ROOT.joinpath(*parts[:length]), ".".join(parts[length:])
        for module in (base.with_suffix(".py"), base / "__init__.py"):
            if module.is_file():
                return not symbol or _has(module, symbol)
        if base.is_dir():
            return not symbol
    return False


def _unresolved(path: Path) -> Iterator[str]:
    return (name for text in _prose(path) for name in _unresolved_in(text, beside=path))


def _unresolved_in(text: str, beside: Path) -> Iterator[str]:
    for name, symbol in PATH.findall(text):
        if not _resolves(name, beside, symbol or None):
            yield f"{name}:{symbol}" if symbol else name
    yield from (dotted for dotted in DOTTED.findall(text) if not (dotted.endswith(ENDINGS) or _is_module(dotted)))


def test_every_path_and_module_that_is_named_is_there():
    missing = {str(path.relative_to(ROOT)): sorted(set(_unresolved(path))) for path in _files()}
    assert {path: names for path, names in missing.items() if names} == {}


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("see streams/delivery/stage.py", []),
        ("see streams/sending.py", ["streams/sending.py"]),
        ("`streams/delivery/stage.py:each`", []),
        ("`streams/delivery/stage.py:no_such`", ["streams/delivery/stage.py:no_such"]),
        ("python -m streams.routes.sandbox", []),
        ("python -m streams.sandbox", ["streams.sandbox"]),
        ("streams.exit.die", []),
        ("streams.exit.no_such", ["streams.exit.no_such"]),
        ("beside it, test_docs.py", []),
        ("beside it, test_nothing.py", ["test_nothing.py"]),
        ("faust/streams.py", []),
        ("faust/no_such.py", ["faust/no_such.py"]),
    ],
)
def test_what_is_not_there_is_found(text, missing):
    assert list(_unresolved_in(text, beside=Path(__file__))) == missing
