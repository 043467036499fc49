"""This module writes what is made of something else: `make docs`; tests fail when it is stale.

The table of docs/settings.md, and the alerts of deploy/alerts.yaml as Kubernetes' Prometheus Operator takes them.
"""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

from pydantic_core import PydanticUndefined

from settings import Settings

PAGE = Path(__file__).parent / "settings.md"
DEPLOY = Path(__file__).parent.parent / "deploy"
RULES, RULE = DEPLOY / "alerts.yaml", DEPLOY / "kubernetes" / "components" / "prometheus" / "prometheus-rule.yaml"
RULE_HEAD = """# Made of deploy/alerts.yaml (make docs). An operator that picks rules by labels wants them here.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: genesys-eventbridge
  labels: {app.kubernetes.io/name: genesys-eventbridge}
spec:
"""
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


def prometheus_rule() -> str:
    """The alerts as a resource of the operator."""
    return RULE_HEAD + indent(RULES.read_text("utf-8"), "  ")


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
    RULE.write_text(prometheus_rule(), "utf-8")
