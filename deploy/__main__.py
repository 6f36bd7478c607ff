"""`python -m deploy demo|env|password|key|credentials`: the local run."""

import argparse
import json
import math
import os
import shlex
import subprocess
import sys
from datetime import UTC, date
from pathlib import Path

from deploy.demo import run
from deploy.directory import Directory
from deploy.display import Display
from deploy.services import Drivers
from simulators.clock import read_start
from simulators.sensors.profiles import PROFILES


def _lots(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 up")
    return int(text)


def _speed(text: str) -> str:
    try:
        is_speed = 0 < float(text) < math.inf
    except ValueError:
        is_speed = False
    if not is_speed:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0; 1 is real time")
    return text


def _start(text: str) -> str:
    try:
        if text != "now":
            read_start(text, UTC)
    except ValueError as error:
        form = "a time from 2000 to 2099 such as 2026-10-01T08:00"
        raise argparse.ArgumentTypeError(f"{text!r} is not {form}") from error
    return text


def print_secret(var: Path, kind: str, wanted: tuple[str, str], secret: str) -> int:
    """Print a secret that the demo has made; exit status 1 when there is none.

    Args:
        var: The demo's directory.
        kind: A list in credentials.json: `gateways` or `people`.
        wanted: A field of its entries, and the value to look for.
        secret: The field to print.
    """
    file = Directory(var).credentials
    entries = json.loads(file.read_text()).get(kind, []) if file.exists() else []
    name, value = wanted
    for entry in entries:
        if entry[name] == value:
            print(entry[secret])
            return 0
    print(f"no {name} {value!r} among the {kind} of {file}", file=sys.stderr)
    return 1


def env(var: Path) -> int:
    """Print what a shell needs to find the running demo, to be evaluated by it.

    Exit status 1 without a demo; it then prints `false`, since `eval` of nothing would succeed.
    """
    directory = Directory(var.absolute())
    if not (directory.run_file.exists() and directory.is_in_use()):
        print(f"no demo serves from {var}: start it, or wait until it serves", file=sys.stderr)
        print("false")
        return 1
    run = json.loads(directory.run_file.read_text())
    values = {
        "ONELOT_HTTP": run["http"],
        "ONELOT_MQTT_HOST": run["mqtt"]["host"],
        "ONELOT_MQTT_PORT": run["mqtt"]["port"],
        "ONELOT_INGEST_METRICS": run["ingest_metrics"],
        "DATABASE_URL": run["database_url"],
    }
    for name, value in values.items():
        print(f"export {name}={shlex.quote(str(value))}")
    return 0


def credentials() -> int:
    """Give new gateways a password while the demo runs, and let them in at the broker."""
    var = Directory(Path("var").absolute())
    if not var.run_file.exists():
        print("no demo runs here: there is no var/run.json", file=sys.stderr)
        return 1
    secrets = var.secrets()
    environment = {
        **os.environ,
        "PLATFORM_INGEST_PASSWORD": secrets.mqtt_ingest,
        "PLATFORM_API_PASSWORD": secrets.mqtt_api,
        "PLATFORM_PUSH_PASSWORD": secrets.mqtt_push,
    }
    command = [sys.executable, "-m", "parking_api", "credentials", "--reload"]
    return subprocess.run(command, env=environment, check=False).returncode


def main(argv: list[str] | None = None) -> int:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="python -m deploy", description="The local run.")
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="the whole city until Ctrl-C")
    demo.add_argument("--lots", type=_lots, help="a smaller city; default: 1,670 lots")
    demo.add_argument("--speed", type=_speed, default="1", help="of the simulated city; default 1")
    demo.add_argument(
        "--start",
        type=_start,
        default="now",
        help="of the simulated city, a local time; default now",
    )
    demo.add_argument(
        "--profile",
        choices=PROFILES,
        default="normal",
        help="how often simulated sensors, clocks and connections fail; default normal",
    )
    demo.add_argument(
        "--truth",
        type=Path,
        help="a directory: what is true of the simulated lots is written there",
    )
    demo.add_argument(
        "--prices-since",
        type=date.fromisoformat,
        metavar="DATE",
        help="simulated drivers answer changes of prices since the week up to this day",
    )
    demo.add_argument(
        "--no-history", action="store_true", help="no past is made beside it: for measurements"
    )
    settings = commands.add_parser("env", help="print the demo's addresses, for a shell's eval")
    word = commands.add_parser("password", help="print a gateway's password, for mosquitto's tools")
    word.add_argument("user")
    role = commands.add_parser("key", help="print the API key of the demo's person of a role")
    role.add_argument("role")
    commands.add_parser("credentials", help="let gateways in that were imported into the demo")
    for command in (demo, settings, word, role):
        command.add_argument("--var", type=Path, default=Path("var"), help="default: var")
    options = parser.parse_args(argv)
    match options.command:
        case "env":
            return env(options.var)
        case "password":
            return print_secret(options.var, "gateways", ("username", options.user), "password")
        case "key":
            return print_secret(options.var, "people", ("role", options.role), "key")
        case "credentials":
            return credentials()
    display = Display(is_terminal=sys.stdout.isatty())
    past = not options.no_history
    drivers = Drivers(
        options.speed,
        options.start,
        options.profile,
        str(options.truth.absolute()) if options.truth else None,
        options.prices_since.isoformat() if options.prices_since else None,
    )
    return run(options.var, options.lots, drivers, display, has_past=past)


if __name__ == "__main__":
    sys.exit(main())
