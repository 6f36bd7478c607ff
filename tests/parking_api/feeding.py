"""Refused messages as the ingester keeps them, and people who may look at them."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import httpx

from ingest_mqtt.queries import NewLetter, keep_letters
from sql.engine import Transaction
from tests.parking_api.builders import Builder
from tests.parking_api.people.keys import body


@dataclass(frozen=True)
class People:
    """The headers of somebody of operations, and of the operator `op-a`."""

    operations: dict[str, str]
    operator: dict[str, str]


async def refuse(
    built: Builder,
    payload: str = "{}",
    *,
    gateway: str = "gw-a",
    lot: str = "a",
    reason: str = "invalid",
    detail: str = "it is wrong",
    at: datetime | None = None,
    kind: str = "count",
    whole: bool = True,
    fault_at: int | None = None,
) -> None:
    """Keep a message as a dead letter, as the ingester does: what is given is masked already."""
    topic = f"onelot/v1/feeds/{gateway}/{lot}/{kind}"
    letter = NewLetter(
        *(sha256((topic + payload).encode()).digest(), topic, gateway, lot, 7, None),
        *(reason, detail, payload, whole, len(payload.encode()), fault_at),
        *(1, at or built.now, at or built.now),
    )
    await keep_letters(Transaction(built.connection), [letter])


async def pages(api: httpx.AsyncClient, path: str | None, who: dict[str, str]) -> list[list[Any]]:
    """The items of a list, page by page, to the last."""
    found = []
    while path:
        page = body(await api.get(path, headers=who))
        found.append(page["items"])
        path = page["next"]
    return found
