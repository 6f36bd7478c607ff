"""`python -m deploy.supply audit|sbom`: what we are made of, and what is known against it."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).resolve().parent.parent
REPORT: Final = "sbom.json"
# The setting that names another source of advisories than the package index: an OSV service.
ADVISORIES: Final = "ONELOT_ADVISORIES"
# Exit statuses of `audit`.
CLEAN: Final = 0
FOUND: Final = 1
UNKNOWN: Final = 2


def audit(requirements: Path, advisories: str | None) -> int:
    """Ask what is known against pinned requirements, and say so.

    Args:
        requirements: A file with a hash for each package.
        advisories: The URL of an OSV service; None for those of the package index.

    Returns:
        0: nothing is known; 1: something is; 2: no source was reached, so nobody knows.
    """
    source = ("-s", "osv", "--osv-url", advisories) if advisories else ()
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes"]
    command += ["-r", str(requirements), "-f", "json", "--progress-spinner", "off", *source]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        why = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        _say(f"NOT AUDITED: no source of advisories was reached: {why[:300]}")
        return UNKNOWN
    skipped = [one["name"] for one in packages if "skip_reason" in one]
    if skipped or not packages:
        _say(f"NOT AUDITED: nothing could be asked about {', '.join(skipped) or 'anything'}")
        return UNKNOWN
    flaws = [
        f"{one['name']} {one['version']}: {flaw['id']}, mended in"
        f" {', '.join(flaw['fix_versions']) or 'no version yet'}"
        for one in packages
        for flaw in one["vulns"]
    ]
    _say(*flaws, f"{len(packages)} packages of {requirements.name}: {len(flaws)} known flaws")
    return FOUND if flaws else CLEAN


def sbom(report: Path) -> int:
    """Write what a release consists of, as CycloneDX JSON that is valid by its schema.

    Args:
        report: Where to; written in one step.

    Returns:
        The exit status: 0 done.
    """
    report.parent.mkdir(parents=True, exist_ok=True)
    fresh = report.with_name(report.name + ".new")
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", "requirements.txt"]
    command += ["--pyproject", "pyproject.toml", "--output-reproducible", "--validate"]
    done = subprocess.run(
        [*command, "--output-file", str(fresh)],
        cwd=SOURCE,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        _say(done.stderr)
        return done.returncode
    fresh.replace(report)
    components = json.loads(report.read_text(encoding="utf-8"))["components"]
    _say(f"{len(components)} components: {report}")
    return 0


def _say(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


def main(argv: list[str] | None = None) -> int:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="python -m deploy.supply")
    commands = parser.add_subparsers(dest="command", required=True)
    known = commands.add_parser("audit", help="flaws that are known of our requirements")
    known.add_argument("--requirements", type=Path, default=SOURCE / "requirements-dev.txt")
    parts = commands.add_parser("sbom", help="a list of all parts, as CycloneDX")
    parts.add_argument("--report", type=Path, default=Path("var/reports") / REPORT)
    options = parser.parse_args(argv)
    if options.command == "audit":
        return audit(options.requirements, os.environ.get(ADVISORIES))
    return sbom(options.report.absolute())


if __name__ == "__main__":
    sys.exit(main())
