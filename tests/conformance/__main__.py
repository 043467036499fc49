"""The official suites of JSONata and of JSON Schema, run on what routes run on: `make conformance`.

They are given by path (`--jsonata`: its `test/test-suite`; `--json-schema`: the folder that holds `tests`), or fetched
(tests/conformance/suites.py) when none is given.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from processors.event.errors import InvalidEventError, RouteError
from processors.event.identity import SourceEvent
from processors.event.strict_json import same_json
from processors.routes.jsonata.engines import ENGINES
from processors.routes.jsonata.expressions import MAX_STACK, Engine, ExpressionError
from processors.routes.jsonata.jsonatapy_engine import IS_INSTALLED, JsonatapyEngine
from processors.routes.schema import compile_schema
from tests.conformance.suites import JSON_SCHEMA, JSONATA, SuiteUnavailableError, fetched

#: Elements of a sequence that cases of JSONata's suite need; how deep calls may be, each says itself.
SUITE_SEQUENCE = 10_000_000

#: Cases of a suite of so many that the leading engine passes, as docs/conformance.md has it.
LEAST = {1_686: 1_682, 1_665: 1_661}

DRAFTS = {
    "draft4": "http://json-schema.org/draft-04/schema#",
    "draft6": "http://json-schema.org/draft-06/schema#",
    "draft7": "http://json-schema.org/draft-07/schema#",
    "draft2019-09": "https://json-schema.org/draft/2019-09/schema",
    "draft2020-12": "https://json-schema.org/draft/2020-12/schema",
}


def main() -> None:
    """Run what is there and print a table of each; exit code 1 for a wrong value, or one less that is right."""
    parser = argparse.ArgumentParser(prog="make conformance", description=__doc__)
    parser.add_argument("--jsonata", type=Path, help="JSONata's test/test-suite")
    parser.add_argument("--json-schema", type=Path, help="JSON-Schema-Test-Suite, or json/ of jsonschema's source")
    parser.add_argument("--verbose", action="store_true", help="print each case that ends otherwise")
    options = parser.parse_args()
    if not options.jsonata and not options.json_schema:
        try:
            options.jsonata, options.json_schema = fetched(JSONATA), fetched(JSON_SCHEMA)
        except SuiteUnavailableError as error:
            parser.error(
                f"{error}; give a path: a clone of jsonata-js/jsonata, of json-schema-org/JSON-Schema-Test-Suite"
            )
    wrong = 0
    if options.jsonata:
        wrong += sum([_jsonata(options.jsonata, engine, named, options.verbose) for engine, named in _engines()][:1])
    if options.json_schema:
        wrong += _json_schema(options.json_schema / "tests", options.verbose)
    sys.exit(1 if wrong else 0)


def _engines() -> Iterator[tuple[Engine | None, str]]:
    """The engines, the leading one first; None is jsonatapy, bound as the suite says instead of as routes are."""
    if IS_INSTALLED:
        yield None, "jsonatapy, bound as the suite says"
    yield from ((engine, engine.name) for engine in ENGINES)


def _jsonata(suite: Path, engine: Engine | None, named: str, verbose: bool) -> int:
    counts: Counter[str] = Counter()
    datasets = {path.stem: json.loads(path.read_text()) for path in (suite / "datasets").glob("*.json")}
    for name, case in _jsonata_cases(suite):
        data = case["data"] if "data" in case else datasets.get(case.get("dataset"))
        ended = _jsonata_ended(engine, case, data)
        if data is None and "data" not in case and ended == "wrong value":
            ended = "left out"  # there is no input at all; a route has an event
        counts[ended] += 1
        if verbose and ended not in ("passed", "left out"):
            print(f"{named}: {ended}: {name}: {case['expr'][:100]!r}")
    told = ", ".join(f"{number} {what}" for what, number in counts.most_common())
    print(f"JSONata on {named}: {counts.total()} cases: {told}")
    return counts["wrong value"] + max(0, LEAST.get(counts.total(), 0) - counts["passed"])


def _jsonata_cases(suite: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(suite.glob("groups/*/*.json")):
        cases = json.loads(path.read_text())
        for case in cases if isinstance(cases, list) else [cases]:
            if "expr-file" in case:
                case["expr"] = (path.parent / case["expr-file"]).read_text()
            yield str(path.relative_to(suite)), case


def _jsonata_ended(engine: Engine | None, case: dict[str, Any], data: Any) -> str:
    try:
        chosen = JsonatapyEngine(int(case.get("depth", MAX_STACK)), SUITE_SEQUENCE) if engine is None else engine
        value = chosen.compile(_bound(case), int(case.get("timelimit", 2_000)))(SourceEvent(data, "", ""))
    except ExpressionError:
        return "passed" if "code" in case or "error" in case else "refused or failed"
    except RecursionError:
        return "refused or failed"
    if "result" in case:
        return "passed" if same_json(value, case["result"]) else "wrong value"
    if "undefinedResult" in case:
        return "passed" if value is None else "wrong value"
    return "no error"


def _bound(case: dict[str, Any]) -> str:
    """The expression with the variables that are given to it: a route has none, so they are a part of the text."""
    bindings = (f"${name} := {json.dumps(value)};" for name, value in (case.get("bindings") or {}).items())
    given = " ".join(bindings)
    return f"({given}\n{case['expr']}\n)" if given else str(case["expr"])


def _json_schema(tests: Path, verbose: bool) -> int:
    wrong = 0
    for draft, uri in DRAFTS.items():
        counts: Counter[str] = Counter()
        for path in sorted((tests / draft).glob("*.json")):
            for case in json.loads(path.read_text()):
                for what, name in _schema_ended(case, uri):
                    counts[what] += 1
                    if verbose and what != "passed":
                        print(f"{draft}: {what}: {path.stem}: {name}")
        told = ", ".join(f"{number} {what}" for what, number in counts.most_common())
        print(f"JSON Schema {draft}, required: {counts.total()} tests: {told}")
        wrong += counts["accepted wrongly"]
    return wrong


def _schema_ended(case: dict[str, Any], uri: str) -> Iterator[tuple[str, str]]:
    schema = case["schema"]
    if not isinstance(schema, dict):
        yield from (("left out", case["description"]) for _ in case["tests"])  # the schema of a route is an object
        return
    try:
        check = compile_schema({"$schema": uri, **schema}, "suite")
    except RouteError:
        yield from (("refused at the start", case["description"]) for _ in case["tests"])
        return
    for test in case["tests"]:
        name = f"{case['description']}: {test['description']}"
        try:
            check(test["data"])
        except InvalidEventError:
            yield ("refused wrongly" if test["valid"] else "passed"), name
        else:
            yield ("passed" if test["valid"] else "accepted wrongly"), name


if __name__ == "__main__":
    main()
