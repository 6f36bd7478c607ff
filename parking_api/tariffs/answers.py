"""Rows about tariff versions into bodies of answers."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import pricing
from parking_api.models import Json, Row
from parking_api.tariffs.queries import document_of

_BUREAU = (
    "imported",
    "drafted_by",
    "drafted_at",
    "submitted_by",
    "submitted_at",
    "approved_by",
    "approved_at",
    "published_by",
    "withdrawn_by",
    "withdrawn_at",
)


def facts(row: Row) -> Json:
    """Say what a version is, but for its document."""
    return {
        "tariff_id": row["tariff_id"],
        "version": row["version"],
        "name": document_of(row)["name"],
        "state": row["state"],
        "hash": row["content_hash"],
        "applies_to": {name: row[name] for name in ("zones", "lot_types", "lots")},
        "copy_of": row["copy_of"],
        "effective_from": row["effective_from"],
        "effective_to": row["effective_to"],
        "published_at": row["published_at"],
    }


def version(row: Row, *, whole: bool) -> Json:
    """Make a version out of a row of `tariff_versions.sql`.

    Args:
        row: The row.
        whole: Whether who did what is told too.
    """
    told = facts(row) | {"document": document_of(row)}
    if whole:
        told |= {column: row[column] for column in _BUREAU}
    return told


def findings(content_hash: str, found: Iterable[pricing.Lint]) -> Json:
    """Make the answer of a lint."""
    return {"hash": content_hash, "findings": [_finding(each) for each in found]}


def _finding(found: pricing.Lint) -> Json:
    return {
        "code": found.code,
        "path": found.path,
        "clause": found.clause,
        "severity": found.severity,
        "text": {"zh": found.zh, "en": found.en},
        "amount_minor": found.money_minor,
    }


def audited(row: Row) -> dict[str, Any]:
    """Say what the audit keeps of a version: all of it."""
    told = version(row, whole=True)
    return {
        key: value.isoformat() if isinstance(value, datetime) else value
        for key, value in told.items()
    }
