"""This module names the JSONata engines at hand."""

from __future__ import annotations

from processors.routes.jsonata.expressions import Engine
from processors.routes.jsonata.jsonata_python_engine import JsonataPythonEngine
from processors.routes.jsonata.jsonatapy_engine import IS_INSTALLED, JsonatapyEngine

#: The engines at hand; routes run on the first.
ENGINES: tuple[Engine, ...] = (JsonatapyEngine(), JsonataPythonEngine()) if IS_INSTALLED else (JsonataPythonEngine(),)
LEADING: Engine = ENGINES[0]
