"""This module writes the generated part of docs/settings.md: `make docs`; a test fails when it is stale."""

from __future__ import annotations

from pathlib import Path

from pydantic_core import PydanticUndefined

from settings import Settings

PAGE = Path(__file__).parent / "settings.md"
BEGIN, END = "<!-- generated: make docs -->", "<!-- end of the generated part -->"


def table() -> str:
    """Markdown table of every setting: name, default, meaning."""
    lines = ["| name | default | meaning |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        lines.append(f"| `{name.upper()}` | {_default(name, field.default)} | {field.description} |")
    return "\n".join(lines)


def page() -> str:
    """The page with its generated part made anew."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def _default(name: str, value: object) -> str:
    if name == "routes_dir":
        return "the shipped `schemas/`"
    if value is None or value is PydanticUndefined:
        return "unset"
    if isinstance(value, tuple):
        value = ",".join(str(part) for part in value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`" if value != "" else "empty"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
