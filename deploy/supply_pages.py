"""The parts of the pages: npm's packages that reach a browser, and what is known against them."""

import base64
import json
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

WEB: Final = Path(__file__).resolve().parent.parent / "parking_api/web"
LOCK: Final = WEB / "package-lock.json"
# What the build has found in the pages.
BUNDLED: Final = WEB / "dist/.packages.json"
IN_LOCK: Final = "node_modules/"
_PATIENCE_S: Final = 30.0


class NotAskedError(Exception):
    """No source of advisories was reached."""


@dataclass(frozen=True)
class Package:
    """A package of the lock.

    Attributes:
        name: As npm has it, such as `@mapbox/tiny-sdf`.
        version: Pinned.
        licence: As the package says it, an SPDX expression.
        sha512: Of its archive, in hexadecimal digits.
        needs: The packages that it depends on.
    """

    name: str
    version: str
    licence: str
    sha512: str
    needs: frozenset[str]


def locked(lock: Path = LOCK) -> dict[str, Package]:
    """Read the packages of a lock, by name; of those that lie in another's folder the outer one."""
    entries: dict[str, dict[str, Any]] = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    found = {}
    for path, entry in entries.items():
        name = path.removeprefix(IN_LOCK)
        if not path or IN_LOCK in name:
            continue
        kind, _, digest = entry["integrity"].partition("-")
        if kind != "sha512":
            raise ValueError(f"{name} is pinned by {kind}, not by sha512")
        found[name] = Package(
            name,
            entry["version"],
            entry.get("license", "NOASSERTION"),
            base64.b64decode(digest).hex(),
            frozenset(entry.get("dependencies", ())),
        )
    return found


def in_browser(lock: Path = LOCK, bundled: Path = BUNDLED) -> list[Package]:
    """Return the packages that reach a browser: those in the pages, and all that these need.

    A package may come with others inside. Those that only declare types are left out.

    Raises:
        OSError: The pages are not built.
    """
    packages, found = locked(lock), set[str]()
    waiting: list[str] = json.loads(bundled.read_text(encoding="utf-8"))
    while waiting:
        name = waiting.pop()
        if name not in found and not name.startswith("@types/"):
            found.add(name)
            waiting += packages[name].needs
    return [packages[name] for name in sorted(found)]


def component(package: Package) -> dict[str, Any]:
    """Return a package as a component of CycloneDX."""
    purl = f"pkg:npm/{quote(package.name, safe='/')}@{package.version}"
    return {
        "bom-ref": purl,
        "type": "library",
        "name": package.name,
        "version": package.version,
        "purl": purl,
        "licenses": [{"expression": package.licence}],
        "hashes": [{"alg": "SHA-512", "content": package.sha512}],
        "properties": [{"name": "onelot:runs-in", "value": "browser"}],
    }


def flaws(advisories: str | None, lock: Path = LOCK) -> tuple[int, list[str]]:
    """Ask what is known against all packages of the lock, those of the build too.

    Args:
        advisories: The URL of an OSV service; None for npm's registry.
        lock: The packages.

    Returns:
        How many packages there are, and each flaw in a line.

    Raises:
        NotAskedError: No source was reached.
    """
    packages = locked(lock)
    if advisories is None:
        return len(packages), _of_registry(lock)
    return len(packages), [line for one in packages.values() for line in _of_osv(one, advisories)]


def _of_registry(lock: Path) -> list[str]:
    command = ["npm", "audit", "--json", "--package-lock-only"]
    # npm comes with the Python environment.
    path = f"{WEB.parents[1] / '.venv/bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**os.environ, "PATH": path}
    try:
        done = subprocess.run(
            command, cwd=lock.parent, env=environment, capture_output=True, text=True, check=False
        )
        told = json.loads(done.stdout)
    except (OSError, ValueError) as error:
        raise NotAskedError(str(error)) from error
    if "vulnerabilities" not in told:
        raise NotAskedError(str(told.get("message", "npm says nothing")))
    return [
        f"{name}: {via['title']}, {via['url']}"
        for name, one in told["vulnerabilities"].items()
        for via in one["via"]
        # A name is that of another package, which has a line of its own.
        if isinstance(via, dict)
    ]


def _of_osv(package: Package, advisories: str) -> Iterator[str]:
    about = {"package": {"ecosystem": "npm", "name": package.name}, "version": package.version}
    request = urllib.request.Request(  # noqa: S310 - the address is the operator's own setting
        advisories, json.dumps(about).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE_S) as answer:  # noqa: S310 - as above
            told = json.load(answer)
    except (OSError, ValueError) as error:
        raise NotAskedError(str(error)) from error
    for flaw in told.get("vulns", ()):
        yield f"{package.name} {package.version}: {flaw['id']}"
