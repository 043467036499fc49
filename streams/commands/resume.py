"""This module is the command `resume`: lets the workers go on that paused because most events failed."""

from __future__ import annotations

import sys
from typing import Any

import click
import httpx

from settings import Settings, load_settings
from streams.commands.terminal.options import refuse
from streams.commands.terminal.screen import console, print_json, table

#: Seconds that a worker gets to answer, and to ask the others.
TIMEOUT_S = 15.0


@click.command(epilog="Examples: genesys-eventbridge resume · genesys-eventbridge resume --url http://worker-2:6066")
@click.option(
    "--url",
    help="Web address of one worker of the group. Default: WEB_ADVERTISED_URL, else WEB_HOST and WEB_PORT.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the answer as one line of JSON.")
def resume(url: str | None, as_json: bool) -> None:
    """Let the workers go on that paused because most events failed (docs/operations.md).

    One worker is asked, and asks the others of its group; WEB_TOKEN is sent along. Events that go on failing
    become failure records then; nothing pauses again before the failures have once ended, or for ten minutes.
    Exit codes: 0 all workers answered, 1 one did not, 2 the worker asked does not answer or refuses.
    """
    settings = load_settings()
    workers = _ask((url or settings.web_url).rstrip("/"), settings)
    if as_json:
        print_json({"workers": workers})
    else:
        rows = [[worker["worker"], _told(worker)] for worker in workers]
        console().print(table("resume", ("worker", "result"), rows))
    sys.exit(1 if any("error" in worker for worker in workers) else 0)


def _ask(url: str, settings: Settings) -> list[dict[str, Any]]:
    token = settings.web_token
    headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token else {}
    try:
        answer = httpx.post(f"{url}/api/resume/", headers=headers, timeout=TIMEOUT_S)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        refuse(f"no worker answers at {url} ({type(error).__name__}): name one with --url")
    if answer.status_code == 401:
        refuse(f"the worker at {url} wants its token: set WEB_TOKEN")
    if answer.status_code not in (200, 502):
        refuse(f"{url} answered {answer.status_code}: is it a worker of this version?")
    return list(answer.json()["workers"])


def _told(worker: dict[str, Any]) -> str:
    if "error" in worker:
        return str(worker["error"])
    return "resumed" if worker["resumed"] else "was not paused"
