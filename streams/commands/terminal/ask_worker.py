"""This module asks a running worker by its web views, for commands that are about running workers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click
import httpx

from settings import Settings
from streams.commands.terminal.options import refuse
from streams.web.access import own_authorization

#: Seconds that a worker gets to answer, and to ask the others.
TIMEOUT_S = 15.0

Command = TypeVar("Command", bound=Callable[..., Any])


class NoWorkerError(Exception):
    """No worker answers as one does; the text says what to do."""


def url_option(command: Command) -> Command:
    """`--url`; the command gets it as `url`."""
    words = "Web address of one worker of the group. Default: WEB_ADVERTISED_URL, else WEB_HOST and WEB_PORT."
    return click.option("--url", help=words)(command)


def asked(settings: Settings, url: str | None, method: str, path: str, *, accepts: tuple[int, ...] = (200,)) -> Any:
    """The JSON that a worker answers; WEB_TOKEN, or one of WEB_TOKENS, is sent along. Raises NoWorkerError."""
    if url and not url.startswith(("http://", "https://")):
        raise NoWorkerError(f"--url {url} is no web address: write http://HOST:PORT")
    where, authorization = (url or settings.web_url).rstrip("/"), own_authorization(settings.tokens, "command")
    headers = {"Authorization": authorization} if authorization else {}
    try:
        answer = httpx.request(method, f"{where}{path}", headers=headers, timeout=TIMEOUT_S)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NoWorkerError(f"no worker answers at {where} ({type(error).__name__}): name one with --url") from None
    if answer.status_code == 401:
        why = "does not know the token that was sent" if authorization else "wants a token"
        raise NoWorkerError(f"the worker at {where} {why}: set WEB_TOKEN or WEB_TOKENS as it has them")
    if answer.status_code == 403:
        raise NoWorkerError(f"the worker at {where} wants a token with the right act: set WEB_TOKEN or WEB_TOKENS")
    if answer.status_code == 421:
        fix = "ask it by its IP address, or name the host in its WEB_ALLOWED_HOSTS"
        raise NoWorkerError(f"the worker at {where} is not called that: {fix}")
    try:
        found = answer.json()
    except ValueError:
        found = None
    if answer.status_code == 503 and isinstance(found, dict) and "message" in found:
        raise NoWorkerError(f"{where}: {found['message']}: ask again in some seconds")
    if answer.status_code not in accepts or found is None:
        raise NoWorkerError(f"{where} answered {answer.status_code}: is it a worker of this version?")
    return found


def ask(settings: Settings, url: str | None, method: str, path: str, *, accepts: tuple[int, ...] = (200,)) -> Any:
    """As `asked`; where no worker answers, the command ends with one line and 2."""
    try:
        return asked(settings, url, method, path, accepts=accepts)
    except NoWorkerError as error:
        refuse(error)
