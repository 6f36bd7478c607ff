"""`python -m deploy demo|password|key|credentials`: the local run."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from deploy.demo import DemoOptions, run
from deploy.directory import Directory
from deploy.display import display_for


def _lots(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _speed(text: str) -> str:
    if not float(text) > 0:
        raise argparse.ArgumentTypeError("above 0; 1 is real time")
    return text


def password(var: Path, user: str) -> int:
    """Print a gateway's password; exit status 1 when the demo has not given it one."""
    return _print_secret(var, "gateways", ("username", user), "password")


def key(var: Path, role: str) -> int:
    """Print the API key of the demo's person of a role; exit status 1 when there is none."""
    return _print_secret(var, "people", ("role", role), "key")


def _print_secret(var: Path, kind: str, wanted: tuple[str, str], secret: str) -> int:
    file = Directory(var).credentials
    entries = json.loads(file.read_text()).get(kind, []) if file.exists() else []
    name, value = wanted
    for entry in entries:
        if entry[name] == value:
            print(entry[secret])
            return 0
    print(f"no {name} {value!r} among the {kind} of {file}", file=sys.stderr)
    return 1


def credentials() -> int:
    """Give new gateways a password while the demo runs, and let them in at the broker."""
    var = Directory(Path("var").absolute())
    if not var.run_file.exists():
        print("no demo runs here: there is no var/run.json", file=sys.stderr)
        return 1
    secrets = var.secrets()
    environment = {
        "PLATFORM_INGEST_PASSWORD": secrets.mqtt_ingest,
        "PLATFORM_API_PASSWORD": secrets.mqtt_api,
    }
    command = [sys.executable, "-m", "parking_api", "credentials", "--reload"]
    return subprocess.run(command, env={**os.environ, **environment}, check=False).returncode


def main(argv: list[str] | None = None) -> int:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="python -m deploy", description="The local run.")
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="the whole city until Ctrl-C")
    demo.add_argument("--lots", type=_lots, help="a smaller city; default: 1,670 lots")
    demo.add_argument("--speed", type=_speed, default="1", help="of the simulated city; default 1")
    word = commands.add_parser("password", help="print a gateway's password, for mosquitto's tools")
    word.add_argument("user")
    role = commands.add_parser("key", help="print the API key of the demo's person of a role")
    role.add_argument("role")
    commands.add_parser("credentials", help="let gateways in that were imported into the demo")
    for command in (demo, word, role):
        command.add_argument("--var", type=Path, default=Path("var"), help="default: var")
    options = parser.parse_args(argv)
    if options.command == "password":
        return password(options.var, options.user)
    if options.command == "key":
        return key(options.var, options.role)
    if options.command == "credentials":
        return credentials()
    display = display_for(terminal=sys.stdout.isatty())
    return run(DemoOptions(options.var, options.lots, options.speed), display)


if __name__ == "__main__":
    sys.exit(main())
