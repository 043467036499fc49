"""This module is the same on Faust as its guide has it: two agents, `take(10)`, jsonata-python, aioboto3.

`python -m bench.contestants.stock_faust worker`
"""

from __future__ import annotations

from typing import Any

import fastjsonschema

from bench.contestants.common import fields
from bench.contestants.faust_parts import app, client, failures, mapped, raw, validated


@app.agent(raw)
async def process(stream: Any) -> None:
    """raw → validated | failures"""
    async for values in stream.take(10, within=0.1):
        for value in values:
            try:
                if (found := mapped(value)) is not None:
                    await validated.send(value=found)
            except fastjsonschema.JsonSchemaValueException as error:
                await failures.send(value=str(error).encode())


@app.agent(validated)
async def sink(stream: Any) -> None:
    """validated → EventBridge"""
    async for values in stream.take(10, within=0.1):
        answer = await (await client()).put_events(Entries=[fields(value) for value in values])
        assert not answer["FailedEntryCount"]


if __name__ == "__main__":
    app.main()
