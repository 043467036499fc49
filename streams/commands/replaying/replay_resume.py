"""This module lets `replay --resume` go on where an earlier run stood, also one that was killed."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import click

from clients.kafka.ranges import Range
from settings import Settings
from streams.commands.terminal.options import refuse
from streams.replay.checkpoint import Checkpoints, ReplayCheckpoint
from streams.replay.replay import ReplayPlan, ReplayProgress

#: Where a context holds the arguments as they were typed.
TYPED = "replay: arguments as typed"

#: Options that are not part of what is replayed.
ASIDE = ("--resume", "--json")


class RememberingCommand(click.Command):
    """Remembers its arguments as they were typed: `--since 2h` means the same replay an hour later."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[TYPED] = tuple(one for one in args if one not in ASIDE)
        return super().parse_args(ctx, args)


def the_only(settings: Settings) -> list[str]:
    """The options of the one replay that is unfinished; with none or several the command ends with one line and 2."""
    files = Checkpoints(settings)
    found = list(files.all())
    if len(found) == 1:
        return list(found[0].typed)
    if not found:
        _refuse_damaged(files)
        refuse(f"there is no unfinished replay in {files.folder} (DATA_DIR): say what to replay")
    refuse(f"{len(found)} replays are unfinished: say which, {' or '.join(_command(one.typed) for one in found)}")


def earlier(
    settings: Settings, source: str, into: str, typed: Sequence[str], *, resume: bool
) -> ReplayCheckpoint | None:
    """Where the replay of these options stood, if it is to go on; says what it finds."""
    files = Checkpoints(settings)
    found = files.find(source, into, typed)
    if not resume:
        if found is not None:
            _say("an earlier run of this stopped before its end; this one begins anew (--resume goes on with that one)")
        return None
    if found is None:
        others = [one for one in files.all() if (one.source, one.into) == (source, into)]
        if others:
            refuse(f"the unfinished replay of {source} into {into} has other options: {_command(others[0].typed)}")
        _refuse_damaged(files)
        _say("nothing to resume: it begins")
    return found


def _refuse_damaged(files: Checkpoints) -> None:
    """To begin anew, where it may be this replay that a file was about, would write all of it twice."""
    if damaged := files.damaged():
        names = ", ".join(map(str, damaged))
        refuse(f"{names} cannot be read, and may be about this replay: remove it to begin anew, or leave --resume out")


class Saving:
    """Writes down where a replay stands. A folder that cannot be written is said once, and hinders nothing."""

    def __init__(self, settings: Settings, typed: Sequence[str], plan: ReplayPlan) -> None:
        self._settings, self._typed, self._plan = settings, typed, plan
        self._files = Checkpoints(settings)
        self._failed = False

    def begin(self, progress: ReplayProgress) -> None:
        """A run that goes on by offsets with what another one left takes its place."""
        self._files.supersede(progress, self._plan.into or "")

    def save(self, progress: ReplayProgress) -> None:
        """The checkpoint after what was just confirmed."""
        try:
            self._files.save(self._at(progress))
        except OSError as error:
            if not self._failed:
                _say(f"no checkpoint: {self._files.folder} cannot be written: {error.strerror} (fix DATA_DIR)")
            self._failed = True

    def end(self, progress: ReplayProgress) -> None:
        """Keep it only where something is left to do."""
        if progress.stopped:
            self.save(progress)
        else:
            self._files.remove(self._at(progress))

    def _at(self, progress: ReplayProgress) -> ReplayCheckpoint:
        return ReplayCheckpoint.of(self._settings, self._typed, self._plan, progress)


def taken_up(what: Range, one: ReplayCheckpoint | None) -> ReplayProgress:
    """The progress to go on from: of a range that is left, with what was counted before."""
    if one is None:
        return ReplayProgress(what)
    what.missing[:0] = one.missing
    return ReplayProgress(what, read=one.read, written=one.written, skipped=one.skipped)


def _command(typed: Sequence[str]) -> str:
    return f"`{shlex.join(['genesys-eventbridge', 'replay', *typed, '--resume'])}`"


def _say(text: str) -> None:
    click.echo(f"genesys-eventbridge: {text}", err=True)
