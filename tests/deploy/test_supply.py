"""What we are made of: the list of parts, what is known against them, and how they are run."""

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from deploy import supply, supply_pages
from deploy.ports import any_free

ROOT = Path(__file__).resolve().parents[2]
PINNED = (
    "paho-mqtt==2.1.0 --hash=sha256:" + 64 * "0" + "\nmsgspec==0.20.0 --hash=sha256:" + 64 * "1"
)
FLAW = {
    "id": "GHSA-aaaa-bbbb-cccc",
    "modified": "2026-11-01T00:00:00Z",
    "published": "2026-11-01T00:00:00Z",
    "summary": "a flaw",
    "details": "a flaw",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "paho-mqtt"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.1.1"}]}],
        }
    ],
}


LOCK = supply_pages.LOCK


@contextmanager
def advisories(flawed: str | None) -> Iterator[str]:
    """A source of advisories on loopback that knows one flaw of one package, or none."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            is_flawed = asked["package"]["name"] == flawed
            told = json.dumps({"vulns": [FLAW]} if is_flawed else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def built() -> Path:
    """Where the pages are, as `make setup` builds them; quick where it has."""
    subprocess.run(["bash", ROOT / "deploy/pages.sh"], check=True, capture_output=True)
    return supply_pages.BUNDLED


@pytest.fixture
def pinned(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.txt"
    path.write_text(PINNED + "\n")
    return path


def test_a_known_flaw_is_told(pinned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with advisories("paho-mqtt") as url:
        assert supply.audit(pinned, LOCK, url) == supply.FOUND
    assert "paho-mqtt 2.1.0: GHSA-aaaa-bbbb-cccc, mended in 2.1.1" in capsys.readouterr().out


def test_a_known_flaw_of_the_pages_is_told(
    pinned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with advisories("kdbush") as url:
        assert supply.audit(pinned, LOCK, url) == supply.FOUND
    told = capsys.readouterr().out
    assert "2 packages of requirements.txt: 0 known flaws" in told
    version = supply_pages.locked()["kdbush"].version
    assert f"kdbush {version}: GHSA-aaaa-bbbb-cccc" in told
    assert "packages of package-lock.json: 1 known flaws" in told


def test_without_a_flaw_all_is_well(pinned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with advisories(None) as url:
        assert supply.audit(pinned, LOCK, url) == supply.CLEAN
    told = capsys.readouterr().out
    assert "2 packages of requirements.txt: 0 known flaws" in told
    assert f"{len(supply_pages.locked())} packages of package-lock.json: 0 known flaws" in told


def test_without_a_source_it_says_that_nobody_knows(
    pinned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = f"http://127.0.0.1:{any_free()}/v1/query"
    assert supply.audit(pinned, LOCK, nowhere) == supply.UNKNOWN
    told = capsys.readouterr().out
    assert "NOT AUDITED: requirements.txt" in told
    assert "NOT AUDITED: package-lock.json" in told


def test_a_registry_that_is_away_is_no_clean_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(LOCK.with_name(name), tmp_path)
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", f"http://127.0.0.1:{any_free()}")
    monkeypatch.setenv("NPM_CONFIG_FETCH_RETRIES", "0")
    assert supply.audit_pages(tmp_path / "package-lock.json", None) == supply.UNKNOWN
    assert "NOT AUDITED: package-lock.json" in capsys.readouterr().out


def test_the_list_of_parts_has_all_that_runs_with_its_hashes(tmp_path: Path, built: Path) -> None:
    """It is valid by CycloneDX's schema: another is not written."""
    del built
    report = tmp_path / "reports/sbom.json"
    assert supply.main(["sbom", "--report", str(report)]) == 0
    told = json.loads(report.read_text())
    assert (told["bomFormat"], told["specVersion"]) == ("CycloneDX", "1.6")
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    wanted = {
        Requirement(line.removesuffix(" \\")).name for line in lines if line and line[0] not in " #"
    }
    in_browser = {one["name"]: one for one in told["components"] if "properties" in one}
    of_python = [one for one in told["components"] if "properties" not in one]
    assert {one["name"] for one in of_python} == wanted
    for one in of_python:
        assert one["version"]
        assert one["externalReferences"][0]["hashes"][0]["alg"] == "SHA-256"
    # What is in the pages, what that comes with, and no tool of the build.
    assert in_browser.keys() > {"maplibre-gl", "preact", "kdbush"}
    assert not in_browser.keys() & {"esbuild", "typescript", "@types/geojson"}
    assert in_browser["preact"]["licenses"] == [{"expression": "MIT"}]
    assert len(in_browser["preact"]["hashes"][0]["content"]) == 128
    assert not list(report.parent.glob("*.new"))
