"""This module is the command `worker`: runs the stages until it is stopped."""

from __future__ import annotations

import os

import click

from settings import ROLES, load_settings

EPILOG = """\b
Examples:
  genesys-eventbridge worker
  genesys-eventbridge worker --role sink,failures --web-port 6067
  GENESYS_SOURCE=file:events.jsonl genesys-eventbridge worker --role source

Exit codes: 0 stopped by a signal, or all of the file is in Kafka (`--role source`), 2 something only you can fix (one
line says what), 70 a bug (nothing is acked; start it again).
"""


@click.command(epilog=EPILOG)
@click.option(
    "--role",
    metavar="ROLE[,ROLE…]",
    help=f"Stages to run: {', '.join(ROLES)}. Default: all. The tables of the metrics run on every worker.",
)
@click.option("--web-port", type=click.IntRange(1, 65535), help="Port of the web views (WEB_PORT).")
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), help="Least level logged.")
def worker(role: str | None, web_port: int | None, log_level: str | None) -> None:
    """Run a worker: source, process, sink, failures and metrics, or some of them.

    Needs GENESYS_CLIENT_ID and GENESYS_CLIENT_SECRET (or GENESYS_SOURCE=sqs:QUEUE_URL, file:PATH or none),
    KAFKA_BOOTSTRAP_SERVERS, AWS credentials with AWS_REGION, and EVENTBUS_NAME; `check` looks at all of it.

    Workers with the same topics form one group and share the partitions. SIGTERM ends a worker in order: what
    is in flight is settled first, or left unacked for the others.
    """
    for name, value in (("WORKER_ROLES", role), ("WEB_PORT", web_port), ("LOG_LEVEL", log_level)):
        if value is not None:
            os.environ[name] = str(value)
    settings = load_settings()
    if "source" in settings.worker_roles:
        settings.require_genesys()

    from streams.worker.logs import set_up_logging

    set_up_logging(settings)

    from streams.app import app

    app.finalize()
    app.discover()
    runner = app.Worker(loglevel=settings.log_level, override_logging=False, redirect_stdouts=False, quiet=True)
    runner.spinner = None  # it writes to the terminal under our log
    runner.execute_from_commandline()
