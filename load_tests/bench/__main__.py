"""`python -m load_tests.bench`: benchmarks against peers, on a city of their own.

Prints what was found beside the goals, and writes it with all runs below `var/reports/`. The exit
status is 0 whether goals are reached or not, and 2 where the benchmarks cannot be run.
"""

import argparse
import asyncio
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

import httpx

from load_tests.bench import report
from load_tests.bench.asking import BenchError, program
from load_tests.bench.bays import nearest_bays
from load_tests.bench.cities import ten_cities
from load_tests.bench.city import City, running_city
from load_tests.bench.ingest import ingest
from load_tests.bench.latency import latency
from load_tests.bench.lots import nearest_lots
from load_tests.bench.naming import names
from load_tests.bench.pages import pages
from load_tests.bench.quotes import quotes
from load_tests.bench.results import Part
from load_tests.bench.steps import steps
from load_tests.bench.stream import readers_beside
from load_tests.bench.workers import two_workers
from load_tests.machine import put_first
from load_tests.target import TargetError

PARTS: Final[Mapping[str, Callable[[City], Part]]] = {
    "nearest": nearest_lots,
    "steps": steps,
    "spaces": nearest_bays,
    "workers": two_workers,
    "quotes": quotes,
    "ingest": ingest,
    "latency": latency,
    "stream": readers_beside,
    "pages": pages,
    "cities": ten_cities,
}


def parser() -> argparse.ArgumentParser:
    """Make the parser of the command line."""
    made = argparse.ArgumentParser(prog="python -m load_tests.bench", description=__doc__)
    add = made.add_argument
    add("--only", choices=PARTS, action="append", help="a part; may come again")
    add("--rounds", type=int, default=5, help="how often each is measured; 5")
    add("--seconds", type=float, default=5.0, help="of each run; 5")
    add("--lots", type=int, help="of the city; default: the whole")
    add("--cities", type=int, default=10, help="in one database; 10")
    add("--share", type=float, default=0.5, help="of saturation, for latency; 0.5")
    add("--observations-per-s", type=float, default=10_000.0, help="beside freshness; 10000")
    add("--readers", type=int, default=1000, help="of streams; 1000")
    add("--first", action="store_true", help="go before all else on the machine; as root, Linux")
    add("--report-dir", type=Path, default=Path("var/reports"))
    return made


def main(argv: list[str] | None = None) -> int:
    """Run the benchmarks."""
    given = parser().parse_args(argv)
    command = " ".join(["python -m load_tests.bench", *(sys.argv[1:] if argv is None else argv)])
    reports = given.report_dir / f"bench-{datetime.now().astimezone():%Y%m%dT%H%M%S}"
    reports.mkdir(parents=True)
    # As Ctrl-C does: what was started ends.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    parts: list[Part] = []
    try:
        for name in ("wrk", "redis-server"):
            program(name)
        size = given.rounds, given.seconds, given.cities
        with running_city(given.lots, reports, *size) as found:
            city = replace(
                found,
                share=given.share,
                observations_per_s=given.observations_per_s,
                readers=given.readers,
            )
            if given.first:
                put_first()
            machine = asyncio.run(names(city.target.database_url))
            for name in given.only or PARTS:
                print(f"measuring: {name}", file=sys.stderr, flush=True)
                parts.append(PARTS[name](city))
                goals = report.write(reports, machine, command, parts)
    except (BenchError, TargetError, LookupError, httpx.HTTPError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    print(f"{goals}\n\nreport: {reports}/bench.md, bench.json, bench.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
