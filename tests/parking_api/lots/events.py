"""Server-sent events, as a reader takes them."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from parking_api.lots.stream_models import LotState, LotStates, StateColumns

HEARTBEAT = "heartbeat"


@dataclass(frozen=True)
class Event:
    """An event: its type and its data; a comment is of type `HEARTBEAT`."""

    kind: str
    data: Any = None

    @property
    def lots(self) -> list[str]:
        return [lot["lot_id"] for lot in self.data["lots"]]


async def events(pieces: AsyncIterator[bytes]) -> AsyncIterator[Event]:
    """Read events, and hold their data to the declared models."""
    waiting = b""
    async for piece in pieces:
        *blocks, waiting = (waiting + piece).split(b"\n\n")
        for block in blocks:
            if not block.startswith(b"retry: "):
                yield _event(block.decode())
    assert waiting == b""


async def soon(reader: AsyncIterator[Event]) -> Event:
    """The next event; fail where none comes."""
    async with asyncio.timeout(20):
        return await anext(reader)


def _event(block: str) -> Event:
    if block == ":":
        return Event(HEARTBEAT)
    kind, data = block.split("\n")
    assert kind.startswith("event: ")
    text = data.removeprefix("data: ")
    models: dict[str, type[BaseModel]] = {
        "event: lots": LotStates,
        "event: lot": LotState,
        "event: states": StateColumns,
    }
    model = models[kind]
    model.model_validate_json(text)
    return Event(kind.removeprefix("event: "), json.loads(text))
