"""Rows about price mechanisms, and proposals, into bodies of answers."""

import json
import math
from datetime import datetime
from typing import Any

from parking_api.models import Json, Row
from pricing.mechanism import Mechanism, Proposal

_WHO = (
    *("state", "mode", "drafted_by", "drafted_at", "approved_by", "approved_at"),
    *("retired_by", "retired_at"),
)
_REVIEW = (
    *("mechanism_id", "number", "reviewed_at", "reviewed_by", "read_from", "read_to", "lots"),
    *("tariff_id", "version"),
)


def mechanism_of(row: Row) -> Mechanism:
    """The mechanism of a row of `mechanism_list.sql`, in its present mode."""
    definition = json.loads(row["definition_text"])
    return Mechanism.model_validate(definition | {"mode": row["mode"]})


def definition(mechanism: Mechanism) -> Json:
    """A mechanism in JSON's types, every field written out."""
    return mechanism.model_dump(mode="json", by_alias=True)


def mechanism(row: Row) -> Json:
    """Make a mechanism out of a row of `mechanism_list.sql`."""
    return {
        "mechanism_id": row["mechanism_id"],
        "mechanism": definition(mechanism_of(row)),
        "hash": row["content_hash"],
        **{column: row[column] for column in _WHO},
    }


def proposal(given: Proposal) -> Json:
    """What is kept of a proposal; a figure that is not known is null."""
    reading = given.reading
    return {
        "time_band": reading.time_band,
        "season": reading.season,
        "occupancy": _known(reading.occupancy),
        "coverage": reading.coverage,
        "pressure": _known(reading.pressure),
        "pressure_beside": _known(reading.pressure_beside),
        "spaces": reading.spaces,
        "target": {"lower": given.band.lower, "upper": given.band.upper},
        "rests": {"lower": given.rest.lower, "upper": given.rest.upper},
        "rule": str(given.rule),
        "before_minor": given.before_minor,
        "after_minor": given.after_minor,
        "reason": str(given.reason),
        "text": {"zh": given.text.zh, "en": given.text.en},
    }


def _known(share: float | None) -> float | None:
    return None if share is None or math.isnan(share) else share


def review(row: Row) -> Json:
    """Make a review out of a row of `mechanism_review_list.sql`."""
    then = json.loads(row["definition_text"])
    drafted = {"version": row["drafted_version"]} | {
        column: row[column] for column in ("drafted_by", "drafted_at")
    }
    return {
        **{column: row[column] for column in _REVIEW},
        "mechanism": then,
        "lot_types": then["lot_types"],
        "proposals": json.loads(row["proposals_text"]),
        "drafted": drafted if row["drafted_version"] else None,
    }


def audited(told: Json) -> dict[str, Any]:
    """What the audit keeps of an answer: all of it, times as text."""
    return {
        key: value.isoformat() if isinstance(value, datetime) else value
        for key, value in told.items()
    }
