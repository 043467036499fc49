"""This module is the console script `genesys-eventbridge`."""

from __future__ import annotations

import importlib
import sys

import click

from processors.errors import RouteError
from streams.settings import SettingsError

COMMANDS = (
    "worker",
    "demo",
    "check",
    "replay",
    "redrive",
    "resume",
    "backfill",
    "topics",
    "simulate",
    "routes",
)

EXIT_USAGE = 2


class Lazy(click.Group):
    """Imports a command's module when it is asked for, so that `--help` does not wait for Faust."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"streams.commands.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command


@click.command(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="genesys-eventbridge")
def cli() -> None:
    """Genesys Cloud events, through Kafka, onto an AWS EventBridge bus: validated, none lost, visibly so.

    Settings come from the environment (docs/settings.md). Start with `demo`, then `check`, then `worker`.
    """


def main() -> None:
    """Run a command. What the user can mend is one line on stderr and exit code 2."""
    try:
        cli(prog_name="genesys-eventbridge")
    except (SettingsError, RouteError) as error:
        print(f"genesys-eventbridge: {error}", file=sys.stderr)
        sys.exit(EXIT_USAGE)


if __name__ == "__main__":
    main()
