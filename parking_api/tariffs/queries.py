"""What is asked of the database about tariff versions."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pricing
from parking_api.audit import Connection
from parking_api.models import Row
from parking_api.tariffs.errors import TariffUnknownError
from parking_api.tariffs.models import AppliesTo, TariffsAsk
from sql.named import named


@dataclass(frozen=True)
class Key:
    """Names one version of a tariff."""

    tariff_id: str
    version: int

    @property
    def subject(self) -> str:
        """What the audit calls it."""
        return f"tariff/{self.tariff_id}/{self.version}"


async def page(
    connection: Connection, ask: TariffsAsk, now: datetime, *, whole: bool
) -> tuple[Sequence[Row], str | None]:
    """Read a page of versions.

    Args:
        connection: To the database.
        ask: Filters and limits.
        now: When their states count.
        whole: Whether those that were never published are among them.

    Returns:
        The rows, and the cursor of the next page where there is one.
    """
    tariff_id, _, version = (ask.cursor or "").rpartition("~")
    rows = await connection.fetch(
        named("tariff_versions"),
        *(now, ask.tariff, None, ask.state, ask.zone, ask.lot_type, ask.lot, whole),
        *(tariff_id or None, int(version or 0)),
        # One more than the page holds tells whether another follows.
        ask.limit + 1,
    )
    found = rows[: ask.limit]
    last = found[-1] if len(rows) > len(found) else None
    return found, f"{last['tariff_id']}~{last['version']}" if last else None


async def version(connection: Connection, key: Key, now: datetime, *, whole: bool) -> Row:
    """Read one version.

    Raises:
        TariffUnknownError: There is none, or it was never published and `whole` is not set.
    """
    row: Row | None = await connection.fetchrow(
        named("tariff_versions"),
        *(now, key.tariff_id, key.version, None, None, None, None, whole),
        *(None, 0, 1),
    )
    if row is None:
        raise TariffUnknownError
    return row


def document_of(row: Row) -> dict[str, Any]:
    """The document of a row, as it was drafted."""
    document: dict[str, Any] = json.loads(row["document_text"])
    return document


def tariff_of(row: Row) -> pricing.Tariff:
    """The tariff of a row: what was stored was right."""
    return pricing.read_tariff(row["document_text"])


def target_of(row: Row) -> AppliesTo:
    """What the version of a row applies to."""
    return AppliesTo(zones=row["zones"], lot_types=row["lot_types"], lots=row["lots"])
