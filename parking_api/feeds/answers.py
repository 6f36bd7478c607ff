"""Rows about feeds and refused messages into bodies of answers."""

from typing import get_args

from parking_api.models import AGE_DIGITS, DataState, Json, Row, local

_FEED = ("gateway_id", "operator_id", "simulated", "lots", "received_at")
_STATES: tuple[str, ...] = get_args(DataState)
_LOT = ("lot_id", "reporting", "report_interval_s", "data_state", "epoch", "seq", "silent_s")

_LETTER = (
    "dead_letter_id",
    "topic",
    "gateway_id",
    "operator_id",
    "lot_id",
    "epoch",
    "seq",
    "reason",
    "detail",
    "times",
    "received_at",
    "last_received_at",
    "payload",
    "payload_bytes",
    "fault_at",
    "truncated",
    "replayable",
    "replayed_at",
    "replay_result",
)


def feed(row: Row) -> Json:
    """Make a gateway's feed out of a row of `feed_gateways.sql`."""
    facts = {column: row[column] for column in _FEED}
    states = {state: row[f"lots_{state}"] for state in _STATES}
    return {**facts, **states, "dead_letters_24h": row["dead_letters"]}


def lot_feed(row: Row) -> Json:
    """Make a lot's feed out of a row of `feed_lots.sql`."""
    facts = {column: row[column] for column in _LOT}
    times = {at: local(row[at], row["timezone"]) for at in ("observed_at", "received_at")}
    age_s = None if row["age_s"] is None else round(row["age_s"], AGE_DIGITS)
    return {**facts, "name": {"zh": row["name_zh"], "en": row["name_en"]}, **times, "age_s": age_s}


def dead_letter(row: Row) -> Json:
    """Make a refused message out of a row of `dead_letters.sql`."""
    return {column: row[column] for column in _LETTER}
