"""This module is the console script `genesys-eventbridge`."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Sequence

import click

from processors.event.errors import RouteError
from settings import EXIT_USAGE, SettingsError

#: The commands in the order in which one meets them, and what each does.
COMMANDS = {
    "worker": "Run the pipeline, or some of its stages.",
    "demo": "Watch all of it run on embedded parts.",
    "top": "Watch the pipeline in the terminal.",
    "check": "Look at what a worker needs, and say how to fix it.",
    "replay": "Emit a range of a topic again, or try it on routes.",
    "failures": "List what failed, or show one event's records.",
    "redrive": "Take failed events back to where they failed.",
    "pause": "Pause one stage of the whole group.",
    "resume": "Let a stage go on, or workers that paused over failures.",
    "acknowledge": "Say that you know which events Kafka deleted unread.",
    "backfill": "Fetch a stretch of time from Genesys' analytics.",
    "topics": "Show which notification topics the settings mean.",
    "simulate": "Try one event on the routes; publish nothing.",
    "routes": "List the routes; `routes test` runs their examples.",
}


#: An option with nothing behind its `=`.
_EMPTY = re.compile(r"--?[a-z-]+=\s*")


class LazyGroup(click.Group):
    """Imports a command's module when it is asked for, so that `--help` does not wait for Faust."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse empty words: `--event-id "$ID"` with no ID would mean every event."""
        if any(not word.strip() or _EMPTY.fullmatch(word) for word in args):
            raise click.UsageError("an argument is empty: is a variable of the shell not set?", ctx)
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing them for it."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"streams.commands.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="genesys-eventbridge")
def cli() -> None:
    """Genesys Cloud events, through Kafka, onto an AWS EventBridge bus: validated, none lost, visibly so.

    Settings come from the environment (docs/settings.md). Start with `demo`, then `check`, then `worker`;
    each command's --help shows examples.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command, by default the one of the command line. What the user can fix is one line and exit code 2."""
    try:
        ended = cli(arguments, prog_name="genesys-eventbridge", standalone_mode=False)
        sys.exit(ended if isinstance(ended, int) else 0)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        name = context.command_path if context else "genesys-eventbridge"
        print(f"{name}: {' '.join(error.format_message().split())} (`{name} --help` says more)", file=sys.stderr)
    except click.Abort:
        print("genesys-eventbridge: aborted", file=sys.stderr)
        sys.exit(1)
    except (SettingsError, RouteError) as error:
        print(f"genesys-eventbridge: {error}", file=sys.stderr)
    sys.exit(EXIT_USAGE)


if __name__ == "__main__":
    main()
