"""`python -m ingest_mqtt`: runs the ingester until SIGTERM or SIGINT, or `replay`, or `schema`."""

import asyncio
import contextlib
import gc
import secrets
import signal
import sys
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
import uvloop
from prometheus_client import CollectorRegistry, start_http_server
from pydantic import ValidationError

from ingest_mqtt import replay, schema
from ingest_mqtt.counters import Counters, IngestCollector, commit_histogram
from ingest_mqtt.dead_letters import DeadLetters
from ingest_mqtt.ingester import Ingester
from ingest_mqtt.link import Link
from ingest_mqtt.packing import Packer
from ingest_mqtt.rates import Limiter
from ingest_mqtt.settings import IngestSettings
from ingest_mqtt.writer import Writer
from sql import logs
from sql.engine import DatabaseUnknownError, database_url

log = structlog.get_logger()

COMMANDS = {"replay": replay.main, "schema": schema.main}


def _digest_key(settings: IngestSettings) -> bytes:
    if settings.digest_key is not None:
        return settings.digest_key.get_secret_value().encode()
    log.warning("INGEST_DIGEST_KEY is not set: what is refused again after a restart counts anew")
    return secrets.token_bytes()


async def serve(settings: IngestSettings, database: str) -> None:
    """Run the ingester until it is cancelled.

    Args:
        settings: As read from the environment.
        database: `postgresql://...`.
    """
    registry, counters, clock = CollectorRegistry(), Counters(), partial(datetime.now, UTC)
    writer = Writer(
        database,
        event_retention=timedelta(days=settings.event_retention_days),
        occupancy_retention=timedelta(days=settings.occupancy_retention_days),
        counters=counters,
        commit_seconds=commit_histogram(registry),
        dead_letters=DeadLetters(_digest_key(settings), settings.dead_letter_quota),
        dead_letter_retention=timedelta(days=settings.dead_letter_retention_days),
        clock=clock,
    )
    ingester = Ingester(
        writer,
        counters,
        clock,
        batch_messages=settings.batch_messages,
        receive_maximum=settings.receive_maximum,
        linger_s=settings.linger_ms / 1000,
        limiter=Limiter(settings),
    )
    registry.register(
        IngestCollector(asyncio.get_running_loop(), counters, lambda: ingester.waiting)
    )
    server, _ = start_http_server(settings.metrics_port, settings.metrics_host, registry=registry)
    # The database first: a second ingester waits there, and must not take the first's session.
    await writer.open()
    # What is imported and loaded by now stays. Without this each full collection would look at all
    # of it again: 26 ms without taking messages.
    gc.collect()
    gc.freeze()
    packer = Packer(database, timedelta(days=settings.pack_after_days), clock)
    link = Link(settings, clock, ingester.receive, ingester.connected, lambda: ingester.is_full)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(link.run())
            tasks.create_task(ingester.run(link))
            tasks.create_task(ingester.beat(link))
            tasks.create_task(packer.run())
    finally:
        await link.close()
        writer.close()
        server.shutdown()


async def _until_signal(settings: IngestSettings, database: str) -> None:
    task = asyncio.create_task(serve(settings, database))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def main(argv: list[str]) -> int:
    """Run a command or the ingester; return the exit status, 2 where settings are wrong."""
    if argv and argv[0] in COMMANDS:
        return COMMANDS[argv[0]](argv[1:])
    if argv:
        print("usage: python -m ingest_mqtt [replay ... | schema DIRECTORY]", file=sys.stderr)
        return 2
    logs.configure()
    try:
        settings, database = IngestSettings(), database_url()
    except (ValidationError, DatabaseUnknownError) as error:
        print(error, file=sys.stderr)
        return 2
    uvloop.run(_until_signal(settings, database))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
