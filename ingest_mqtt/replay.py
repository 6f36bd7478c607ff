"""Replays messages that a fault of the platform refused, once the fault is mended.

`python -m ingest_mqtt replay` only requests it, in the database: the running ingester stays the
one writer. It decides each message as if it had just come in late, by the time of its first
receipt, one transaction each: what is newer stays, and the message ends as `superseded`. Its
gateway has dropped it long ago, so that no ack is sent; the result stands with the dead letter.
"""

import argparse
import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from ingest_mqtt import queries
from ingest_mqtt.decide import decide
from ingest_mqtt.effects import Outcome, Received
from ingest_mqtt.lots import Committed, Registry
from sql.engine import DatabaseUnknownError, Db, connected, database_url
from sql.faults import FAULTS

CHANNEL: Final = "replay"
REFUSED: Final = "rejected: internal"
# So many between two batches of feeds, which must not wait for long.
AT_ONCE: Final = 20
_LOOK_EVERY_S: Final = 0.2


def decide_again(
    one: queries.Replay, registry: Registry, committed: Mapping[str, Committed]
) -> tuple[Outcome, str]:
    """Decide a message to be replayed.

    Returns:
        What it changes: no ack, no dead letter and nothing that counts as received; and its
        result, with the reason after a colon where it is refused again.
    """
    message = Received(one.topic, one.payload.encode(), one.received_at)
    outcome = decide([message], registry, committed)
    result = next((ack.result for ack in outcome.acks), "applied")
    for letter in outcome.dead_letters:
        result = f"rejected: {letter.rejection.reason}"
    outcome.acks.clear()
    outcome.dead_letters.clear()
    outcome.results.clear()
    return outcome, result


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(
        prog="python -m ingest_mqtt replay",
        description="Take in again what was refused as `internal`, once the fault is mended. The "
        "running ingester does it; what is newer in the database stays.",
    )
    made.add_argument("--gateway", help="only messages of this gateway")
    made.add_argument("--since", type=_instant, help="only what came then or later (RFC 3339)")
    made.add_argument("--dry-run", action="store_true", help="only say what there is")
    made.add_argument("--wait", type=float, default=60.0, help="seconds to wait for the results")
    made.add_argument("--database-url", help="default: DATABASE_URL, then var/run.json")
    return made


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = datetime.min  # noqa: DTZ901 - refused below
    if at.tzinfo is None:
        raise argparse.ArgumentTypeError("a time with its offset, as 2026-11-22T09:30:00+08:00")
    return at


def main(argv: list[str], say: Callable[[str], None] = print) -> int:
    """Run the command.

    Returns:
        0 when every requested message has been taken in; 1 where some has not; 2 for a wrong
        command line.
    """
    options = parser().parse_args(argv)
    try:
        return asyncio.run(_run(database_url(options.database_url), options, say))
    except DatabaseUnknownError as error:
        say(str(error))
        return 2
    except FAULTS as error:
        say(f"the database is away: {type(error).__name__}")
        return 1


async def _run(url: str, options: argparse.Namespace, say: Callable[[str], None]) -> int:
    async with connected(url, "ingest_mqtt replay") as db:
        chosen = options.gateway, options.since
        say(_candidates(await queries.replay_candidates(db, *chosen)))
        if options.dry_run:
            return 0
        letter_ids = await queries.request_replay(db, *chosen, datetime.now(UTC))
        if not letter_ids:
            return 0
        await db.execute(f"NOTIFY {CHANNEL}")
        results = await _results(db, letter_ids, time.monotonic() + options.wait)
    for result, number in results.items():
        say(f"{number:>8}  {result or 'not taken in yet: the running ingester will do it'}")
    return 1 if None in results else 0


async def _results(db: Db, letter_ids: list[int], deadline: float) -> dict[str | None, int]:
    """Wait until every requested message has its result, or until the deadline (`monotonic`)."""
    while True:
        results = {one.result: one.messages for one in await queries.replay_results(db, letter_ids)}
        if None not in results or time.monotonic() > deadline:
            return results
        await asyncio.sleep(_LOOK_EVERY_S)


def _candidates(rows: list[queries.Candidates]) -> str:
    if not rows:
        return "no message was refused by a fault of the platform"
    lines = [f"{'gateway':<24}{'to replay':>10}{'replayed':>10}{'refused':>10}{'masked':>10}"]
    lines += [
        f"{row.gateway_id:<24}{row.replayable:>10}{row.replayed:>10}{row.refused:>10}"
        f"{row.masked:>10}"
        for row in rows
    ]
    return "\n".join(lines)
