"""The command line of `python -m simulators replay`."""

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import uvloop

from simulators.recording import Recording, RecordingError, open_recording
from simulators.registry import (
    Broker,
    Credentials,
    RegistryError,
    add_broker_arguments,
    broker_of,
    read_credentials,
)
from simulators.replay import Replay, ReplayError
from simulators.stopping import stop_at_signals

ABOUT = """\
Sends recorded occupancy as feeds, for the lots that the file of credentials lists.

As it was recorded, it is history: its counts are old, so the lots stay `unknown` in
/v1/nearest, /v1/lots and /v1/city, and only /v1/lots/{lot_id}/occupancy shows it. A lot's history
runs forward: what lies before its newest report, live or replayed, changes nothing any more.

With --live the first count is of now, and the others follow as they did then: the lots are live.
To keep the time of day, begin there: --from 2023-09-05T$(TZ=Europe/Madrid date +%H:%M)
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `replay`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = ABOUT
    parser.add_argument("file", type=Path, help="recorded occupancy, .csv or .csv.gz")
    add_broker_arguments(parser)
    parser.add_argument(
        "--speed",
        type=_speed,
        default=1.0,
        help="recorded over real time; 0: as fast as the platform takes it (not with --live)",
    )
    parser.add_argument("--live", action="store_true", help="as of now, not as of then")
    parser.add_argument("--timezone", type=_timezone, default=ZoneInfo("Europe/Madrid"))
    parser.add_argument("--lot-prefix", default="malaga-", help="put before each recorded lot")
    parser.add_argument("--from", dest="from_at", type=datetime.fromisoformat, help="local time")
    parser.add_argument("--to", dest="to_at", type=datetime.fromisoformat, help="not included")


def _speed(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return value


def _timezone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{text} is no IANA time zone") from error


def _instant(local: datetime | None, timezone: ZoneInfo) -> datetime | None:
    """Return the instant of a local time; a time with an offset stays as it is."""
    return local.replace(tzinfo=timezone) if local is not None and local.tzinfo is None else local


def run_command(args: argparse.Namespace) -> int:
    """Replay a file and print the summary.

    Returns:
        0 when all was acked, 1 when not (also when interrupted), 2 when it cannot start.
    """
    if args.live and args.speed == 0:
        sys.stderr.write("--live needs a --speed above 0: its counts are stamped when due\n")
        return 2
    try:
        broker, credentials = broker_of(args), read_credentials(args.credentials)
        with open_recording(args.file) as lines:
            recording = Recording(
                lines,
                args.timezone,
                from_at=_instant(args.from_at, args.timezone),
                to_at=_instant(args.to_at, args.timezone),
            )
            return uvloop.run(_run(args, broker, credentials, recording))
    except (RegistryError, RecordingError) as error:
        sys.stderr.write(f"{error}\n")
        return 2


async def _run(
    args: argparse.Namespace,
    broker: Broker,
    credentials: Sequence[Credentials],
    recording: Recording,
) -> int:
    replay = Replay(
        broker, credentials, speed=args.speed, lot_prefix=args.lot_prefix, live=args.live
    )
    try:
        await replay.run(recording, stop_at_signals())
    except ReplayError as error:
        sys.stderr.write(f"{error}\n")
    finally:
        sys.stdout.write("\n".join(replay.summary.lines(recording)) + "\n")
    return 0 if replay.summary.complete and not replay.summary.unacked else 1
