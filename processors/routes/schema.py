"""This module checks mapped events against a route's JSON Schema.

Two validators share the work: fastjsonschema, compiled at start, says yes quickly; only when it says no
does jsonschema walk the event and list every violation.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import fastjsonschema
from fastjsonschema.draft07 import CodeGeneratorDraft07
from jsonschema import Draft4Validator, Draft6Validator, Draft7Validator, FormatChecker
from jsonschema.exceptions import SchemaError
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for
from referencing.exceptions import Unresolvable
from referencing.jsonschema import specification_with

from processors.event.errors import InvalidEventError, RouteError, Violation
from processors.event.formats import FORMATS
from processors.event.strict_json import JsonObject
from processors.routes.schema_patterns import with_python_patterns
from processors.routes.schema_references import check_references, is_one_document, registry_of

Check = Callable[[Any], None]

#: The drafts that fastjsonschema knows; it would read a newer one as draft 7 and pass over its new keywords.
FAST_DRAFTS = (Draft4Validator, Draft6Validator, Draft7Validator)


#: What both validators check of a format; every other name is a remark, as the standard has it by default. The fast
#: one has opinions on some of those, which are taken from it.
CHECKED: dict[str, Callable[[str], bool]] = {
    **dict.fromkeys(CodeGeneratorDraft07.FORMAT_REGEXS, lambda _: True),
    **FORMATS,
}

#: Keywords that came after draft 7, which is how a schema without `$schema` is read.
LATER_KEYWORDS = (
    "dependentRequired dependentSchemas prefixItems unevaluatedItems unevaluatedProperties minContains maxContains "
    "$anchor $dynamicRef $dynamicAnchor $recursiveRef"
)


def compile_schema(schema: JsonObject, name: str, documents: Mapping[str, Any] = MappingProxyType({})) -> Check:
    """Compile `schema` to a check that raises InvalidEventError with every violation.

    A schema without `$schema` is draft 7. `documents`: the JSON files beside it, by name. Raises RouteError when the
    schema itself is not one, or refers to anything else; `name` says where it came from.
    """
    if not isinstance(schema.get("$schema", ""), str):
        raise RouteError(f"{name}: not a JSON Schema: /$schema: it is no text", pointer="/$schema")
    validator_class = validator_for(schema, default=Draft7Validator if "$schema" not in schema else None)
    if validator_class is None:
        raise RouteError(f"{name}: not a JSON Schema: unknown $schema {str(schema['$schema'])[:100]}")
    schema, documents = _for_python(schema, name, documents)
    specification = _specification(validator_class)
    try:
        validator_class.check_schema(schema)
        registry = registry_of(schema, documents, specification)
        check_references(name, schema, registry, specification, validator_class.check_schema)
        is_fast = validator_class in FAST_DRAFTS and is_one_document(schema)
        fast = _compile_fast(schema) if is_fast else None
    except SchemaError as error:
        pointer = "".join(f"/{part}" for part in error.absolute_path)
        reason = _first_line(error)
        message = f"{name}: not a JSON Schema: {pointer or '/'}: {reason}"
        raise RouteError(message, reason=f"not a JSON Schema: {reason}", pointer=pointer) from None
    except fastjsonschema.JsonSchemaDefinitionException as error:
        raise RouteError(f"{name}: not a JSON Schema: {_first_line(error)}") from None
    thorough = validator_class(schema, format_checker=_format_checker(), registry=registry)

    def check(value: Any) -> None:
        try:
            _check(fast, thorough, value)
        except (RecursionError, Unresolvable) as error:
            reason = f"cannot be checked against its schema: {type(error).__name__}"
            raise InvalidEventError(reason, code="SchemaViolation") from None

    return check


def _for_python(schema: JsonObject, name: str, documents: Mapping[str, Any]) -> tuple[JsonObject, Mapping[str, Any]]:
    """The schema and what it may refer to, with patterns for Python's engine. Raises RouteError for its own."""
    found = {}
    for file, document in documents.items():
        with contextlib.suppress(RouteError):  # told where the schema refers to it
            document = with_python_patterns(document)
        found[file] = document
    try:
        return with_python_patterns(schema), found
    except RouteError as error:
        message = f"{name}: not a JSON Schema: {error.pointer}: {error}"
        raise RouteError(message, reason=error.reason, pointer=error.pointer) from None


def schema_warnings(schema: JsonObject) -> Iterator[str]:
    """What a schema says to no avail."""
    found = set(_keywords(schema))
    if "$schema" not in schema and (later := sorted(found & set(LATER_KEYWORDS.split()))):
        draft = "https://json-schema.org/draft/2020-12/schema"
        yield f'the schema is read as draft 7, which has no {", ".join(later)}: add "$schema": "{draft}"'


def _keywords(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from schema
        for value in schema.values():
            yield from _keywords(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _keywords(value)


def _specification(validator_class: Any) -> Any:
    return specification_with(str(validator_class.META_SCHEMA.get("$schema")))


def _compile_fast(schema: JsonObject) -> Callable[[Any], Any]:
    compiled: Callable[[Any], Any] = fastjsonschema.compile(schema, formats=CHECKED, use_default=False)
    return compiled


def _check(fast: Callable[[Any], Any] | None, thorough: Validator, value: Any) -> None:
    first: Exception | None = None
    if fast is not None:
        try:
            fast(value)
        except fastjsonschema.JsonSchemaValueException as error:
            first = error
        else:
            return
    elif thorough.is_valid(value):
        return
    raise _invalid(thorough, value, first) from None


def _format_checker() -> FormatChecker:
    checker = FormatChecker(formats=())
    for name, is_valid in CHECKED.items():
        checker.checks(name)(lambda value, is_valid=is_valid: not isinstance(value, str) or is_valid(value))
    return checker


def _invalid(validator: Validator, value: Any, first: Exception | None) -> InvalidEventError:
    violations: dict[Violation, None] = {}
    for error in validator.iter_errors(value):
        for violation in _violations(error):
            violations[violation] = None
    # The fast validator decides; should the thorough one find nothing, its one message still stands.
    found = sorted(violations, key=lambda item: (item.path, item.rule)) or [
        Violation("", "schema", _first_line(first) if first else "")
    ]
    paths = ", ".join(f"{item.path or 'event'} ({item.rule})" for item in found)
    return InvalidEventError(f"breaks its schema: {paths}"[:1000], code="SchemaViolation", details=found)


def _violations(error: Any) -> list[Violation]:
    path = [str(part) for part in error.absolute_path]
    if error.validator == "required" and isinstance(error.instance, dict):
        missing = [name for name in error.validator_value if name not in error.instance]
        return [Violation(".".join([*path, name]), "required", "is missing") for name in missing]
    return [Violation(".".join(path), str(error.validator or "false"), _brief(error))]


#: Rules whose value says what is wanted.
_TELLING = ("type", "format", "enum", "const", "minLength", "maxLength", "pattern", "minimum", "maximum")


def _brief(error: Any) -> str:
    # Messages of jsonschema repeat the instance; that is personal data and may be long.
    if error.validator in _TELLING:
        value = getattr(error.validator_value, "written", error.validator_value)
        return f"must satisfy {error.validator} {str(value)[:120]}"
    return f"breaks {error.validator}"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
