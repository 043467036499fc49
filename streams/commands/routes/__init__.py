"""This package is the command `routes`, one module for each of its commands."""

from streams.commands.routes.catalogue import export
from streams.commands.routes.examples import test
from streams.commands.routes.listing import routes
from streams.commands.routes.new import new
from streams.commands.routes.registry import diff, pull, push

for command in (test, new, export, diff, pull, push):
    routes.add_command(command)

__all__ = ["routes"]
