"""This module says what is wrong with the settings, never with their values."""

from __future__ import annotations

from pydantic import ValidationError
from pydantic_core import ErrorDetails

#: Exit code that says: what was given cannot be used; nothing was begun.
EXIT_USAGE = 2


class SettingsError(Exception):
    """A setting is missing or wrong; the text says which and how to fix it, one line a setting."""


def settings_error(error: ValidationError) -> SettingsError:
    """The error for what pydantic refused, in the order of the fields."""
    return SettingsError("; ".join(_line(problem) for problem in error.errors(include_input=False, include_url=False)))


def _line(problem: ErrorDetails) -> str:
    name = ".".join(str(part) for part in problem["loc"]).upper()
    return f"{name}: {problem['msg'].removeprefix('Value error, ')}"
