"""`python -m simulators run`: all gateways of a simulated city in one process."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Final

import uvloop

from simulators.clock import read_start
from simulators.demand.bays import IntArray
from simulators.demand.closures import read_closure
from simulators.demand.events import guests_of, read_event, read_places
from simulators.demand.preference import read_ranks
from simulators.fleet import CITY_TIMEZONE, DEFAULT_SEED, Fleet, FleetSettings, simulated_lots
from simulators.platform import ELASTICITY, Asking
from simulators.registry import (
    Broker,
    Credentials,
    Lot,
    RegistryError,
    add_broker_arguments,
    broker_of,
    read_credentials,
    read_lots,
)
from simulators.sensors.profiles import PROFILES
from simulators.stopping import stop_at_signals

_LEAST_ELASTICITY: Final = -3.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `run`."""
    parser.add_argument("--city", type=Path, required=True, help="directory with lots.csv")
    add_broker_arguments(parser)
    parser.add_argument(
        "--speed", type=_positive, default=1.0, help="of the drivers; reports keep the clock's"
    )
    parser.add_argument(
        "--start",
        type=_start,
        default=None,
        metavar="TIME",
        help="the drivers' first instant, local or with an offset (default: now)",
    )
    parser.add_argument("--snapshot-interval-s", type=_positive, default=300.0)
    parser.add_argument(
        "--status", type=Path, metavar="FILE", help="write simulated time and figures there"
    )
    parser.add_argument(
        "--profile",
        choices=PROFILES,
        default="normal",
        help="how often sensors, clocks and connections fail (default: normal)",
    )
    parser.add_argument(
        "--truth", type=Path, metavar="DIR", help="write what is true there, for `score`"
    )
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument(
        "--event",
        action="append",
        default=[],
        metavar="PLACE,TIME,PEOPLE",
        help="a crowd at a place of places.csv (id or name), from a local time on; may be repeated",
    )
    parser.add_argument(
        "--closure",
        action="append",
        default=[],
        metavar="LOT,FROM,TO",
        help="a lot is closed between two local times; without TO for good; may be repeated",
    )
    parser.add_argument(
        "--platform", metavar="URL", help="follow the closures that this platform shows"
    )
    parser.add_argument(
        "--prices-since",
        type=date.fromisoformat,
        metavar="DATE",
        help="drivers answer the platform's prices too, as changed since the week up to this day",
    )
    parser.add_argument(
        "--elasticity",
        type=_elasticity,
        default=ELASTICITY,
        help="of demand by price, -3 to 0 (default: %(default)s)",
    )


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def _elasticity(text: str) -> float:
    value = float(text)
    if not _LEAST_ELASTICITY <= value <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not from {_LEAST_ELASTICITY:g} to 0")
    return value


def _start(text: str) -> datetime | None:
    """Read `--start`; `now` is the wall clock."""
    if text == "now":
        return None
    try:
        return read_start(text, CITY_TIMEZONE)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a time from 2000 to 2099 such as 2026-10-01T08:00"
        ) from error


def run_command(args: argparse.Namespace) -> int:
    """Run the city until SIGINT or SIGTERM. Exit code 2 if it cannot be read."""
    try:
        broker = broker_of(args)
        lots, gateways = simulated_lots(
            read_lots(args.city / "lots.csv"), read_credentials(args.credentials)
        )
        places = read_places(args.city / "places.csv") if args.event else {}
        events = tuple(read_event(text, places, CITY_TIMEZONE) for text in args.event)
        guests_of(events, lots, args.seed)
        closures = tuple(read_closure(text, lots, CITY_TIMEZONE) for text in args.closure)
        bays = args.city / "bays.csv"
        ranks = read_ranks(bays, lots) if bays.exists() else None
    except RegistryError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if not lots:
        sys.stderr.write(f"{args.credentials}: no simulated gateway with lots of {args.city}\n")
        return 2
    if args.prices_since and not args.platform:
        sys.stderr.write("--prices-since goes with --platform\n")
        return 2
    asking = Asking(args.platform, args.prices_since, args.elasticity) if args.platform else None
    settings = FleetSettings(
        speed=args.speed,
        start_at=args.start,
        snapshot_interval_s=args.snapshot_interval_s,
        seed=args.seed,
        profile=args.profile,
        events=events,
        closures=closures,
        asking=asking,
        truth=args.truth,
        status_file=args.status,
    )
    uvloop.run(_run(broker, lots, gateways, settings, ranks))
    return 0


async def _run(
    broker: Broker,
    lots: Sequence[Lot],
    gateways: Mapping[str, Credentials],
    settings: FleetSettings,
    ranks: IntArray | None,
) -> None:
    stop = stop_at_signals()
    await Fleet(broker, lots, gateways, settings, ranks=ranks).run(stop)
