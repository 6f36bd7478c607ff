"""Adds entries to the audit of a test."""

from datetime import UTC, datetime
from typing import Any

from parking_api.audit.service import record
from sql.engine import Db, transaction

AT = datetime(2026, 11, 22, 1, 30, 0, 123456, tzinfo=UTC)


async def add(db: Db, **values: Any) -> int:
    """Record an entry, with these values in place of the usual ones; return its number."""
    content = {
        "person_id": "wang",
        "action": "tariff.approve",
        "subject": "tariff/a",
        "before": {"state": "in_review"},
        "after": {"state": "approved"},
        "reason": None,
        "at": AT,
    } | values
    async with transaction(db) as within:
        return await record(within, **content)
