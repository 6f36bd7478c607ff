"""`python -m deploy.supply audit|sbom`: what we are made of, and what is known against it."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from deploy import supply_pages

SOURCE: Final = Path(__file__).resolve().parent.parent
REPORT: Final = "sbom.json"
# The setting that names another source of advisories than the package index: an OSV service.
ADVISORIES: Final = "ONELOT_ADVISORIES"
# Exit statuses of `audit`.
CLEAN: Final = 0
FOUND: Final = 1
UNKNOWN: Final = 2


def audit(requirements: Path, lock: Path, advisories: str | None) -> int:
    """Ask what is known against all that is pinned, and say so.

    Args:
        requirements: Python's packages, a file with a hash for each.
        lock: npm's packages.
        advisories: The URL of an OSV service; None for those of the registries.

    Returns:
        0: nothing is known; 1: something is; 2: of a part nobody knows.
    """
    found = {audit_python(requirements, advisories), audit_pages(lock, advisories)}
    return FOUND if FOUND in found else UNKNOWN if UNKNOWN in found else CLEAN


def audit_pages(lock: Path, advisories: str | None) -> int:
    """Ask what is known against npm's packages, and say so; see `audit`."""
    try:
        number, flaws = supply_pages.flaws(advisories, lock)
    except supply_pages.NotAskedError as error:
        _say(f"NOT AUDITED: {lock.name}: no source of advisories was reached: {str(error)[:300]}")
        return UNKNOWN
    _say(*flaws, f"{number} packages of {lock.name}: {len(flaws)} known flaws")
    return FOUND if flaws else CLEAN


def audit_python(requirements: Path, advisories: str | None) -> int:
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
        _say(f"NOT AUDITED: {requirements.name}: no source of advisories was reached: {why[:300]}")
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

    Python's packages, and those of npm that reach a browser.

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
    parts = json.loads(fresh.read_text(encoding="utf-8"))
    try:
        pages = [supply_pages.component(one) for one in supply_pages.in_browser()]
    except OSError as error:
        _say(f"the pages are not built (`make setup`): {error}")
        return 1
    python = len(parts["components"])
    parts["components"] += pages
    parts["dependencies"] += [{"ref": one["bom-ref"]} for one in pages]
    text = json.dumps(parts, indent=2)
    if (fault := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)) is not None:
        _say(f"not valid by CycloneDX's schema: {fault}")
        return 1
    fresh.write_text(text + "\n", encoding="utf-8")
    fresh.replace(report)
    _say(f"{python} components of Python, {len(pages)} in a browser: {report}")
    return 0


def _say(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


def main(argv: list[str] | None = None) -> int:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="python -m deploy.supply")
    commands = parser.add_subparsers(dest="command", required=True)
    known = commands.add_parser("audit", help="flaws that are known of our requirements")
    known.add_argument("--requirements", type=Path, default=SOURCE / "requirements-dev.txt")
    known.add_argument("--lock", type=Path, default=supply_pages.LOCK)
    parts = commands.add_parser("sbom", help="a list of all parts, as CycloneDX")
    parts.add_argument("--report", type=Path, default=Path("var/reports") / REPORT)
    options = parser.parse_args(argv)
    if options.command == "audit":
        return audit(options.requirements, options.lock, os.environ.get(ADVISORIES))
    return sbom(options.report.absolute())


if __name__ == "__main__":
    sys.exit(main())
