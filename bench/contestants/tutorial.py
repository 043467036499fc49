"""This module is the same as tutorials have it: one agent, one event at a time, a request for each.

`python -m bench.contestants.tutorial worker`
"""

from __future__ import annotations

from typing import Any

import fastjsonschema

from bench.contestants.common import fields
from bench.contestants.faust_parts import app, client, failures, mapped, raw


@app.agent(raw)
async def publish(stream: Any) -> None:
    """raw → EventBridge"""
    async for value in stream:
        try:
            if (found := mapped(value)) is not None:
                await (await client()).put_events(Entries=[fields(found)])
        except fastjsonschema.JsonSchemaValueException as error:
            await failures.send(value=str(error).encode())


if __name__ == "__main__":
    app.main()
