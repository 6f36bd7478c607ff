"""Marked coordinates and a marked number plate, sent everywhere: where are they kept?

Where a driver looks for a space is personal data, and so is a number plate, which no feed and no
question needs.
"""

import asyncio
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx

from deploy import postgres
from deploy.accounts import program
from tests.polling import until

LON: Final = "120.3871234"
LAT: Final = "36.0671234"
PLATE: Final = "9Q8X7"
QUERIES: Final = (
    f"lon={LON}&lat={LAT}&radius_m=900",
    f"lon={LON}&lat={LAT}&source=database",
    f"lon={LON}&lat={LAT}&q={PLATE}&crs=gcj02",
    f"bbox={LON},{LAT},121.0,37.0&q={PLATE}&plate={PLATE}",
    f"lon={LON}&lat={LAT}x&vehicle={PLATE}&at={LAT}",
    f"lon={LON}&lat={LAT}&q=%ff{PLATE}%00",
)
PAYLOADS: Final = (
    f'{{"epoch": 1, "seq": 1, "plate": "{PLATE}", "lon": {LON}}}',
    f'{{"epoch": 1, "seq": 2, "{PLATE}": {LAT}',
    f'{{"epoch": 1, "seq": 3, "observed_at": "{PLATE}", "occupied": [{LON}], "free": []}}',
    PLATE,
)


def send_marked(var: Path) -> None:
    """Ask every operation of the API, and report by every feed, with what is marked.

    Args:
        var: Of a running demo.
    """
    run, kept = _read(var / "run.json"), _read(var / "credentials.json")
    keys = [{"Authorization": f"Bearer {person['key']}"} for person in kept["people"]]
    nobody = {"User-Agent": PLATE, "Referer": f"http://a/?lon={LON}", "X-Forwarded-For": PLATE}
    wrong = {"Authorization": f"Bearer ok_{PLATE}", "Cookie": f"lat={LAT}"}
    login = ("gw-try", _password(kept))
    with httpx.Client(base_url=run["http"], trust_env=False, timeout=20) as client:
        paths = client.get("/openapi.json").json()["paths"]
        for method, path in _operations(paths):
            for query in QUERIES:
                for headers in (nobody, wrong, *keys):
                    _ask(client, method, f"{path}?{query}", headers)
        for topic in (f"gw-try/370202-0001/{PLATE}", "gw-try/370202-0001/spaces"):
            for payload in PAYLOADS:
                client.post(f"/v1/feeds/{topic}", auth=login, content=payload)
    at = run["mqtt"]
    command = [program("mosquitto_pub"), "-V", "5", "-q", "1", "-i", "gw-try", "-u", "gw-try"]
    command += ["-h", at["host"], "-p", str(at["port"]), "-P", login[1]]
    for payload in PAYLOADS:
        for kind in ("spaces", "snapshot", "count", "status"):
            topic = f"onelot/v1/feeds/gw-try/370202-0001/{kind}"
            subprocess.run([*command, "-t", topic, "-m", payload], check=True)
    log = var / "logs/database.log"
    before = log.read_text().count("duration: ")
    asyncio.run(
        _ask_slowly(run["database_url"], lambda: log.read_text().count("duration: ") > before)
    )


def marks_kept(var: Path) -> list[tuple[str, str]]:
    """Return where what is marked is kept: in logs, figures, or the database; and which mark."""
    run = _read(var / "run.json")
    kept = {path.name: path.read_bytes() for path in (var / "logs").iterdir()}
    kept["the API's metrics"] = httpx.get(f"{run['http']}/metrics", trust_env=False).content
    kept["the ingester's metrics"] = httpx.get(run["ingest_metrics"], trust_env=False).content
    kept["a dump"] = _dump(run["database_url"], _read(var / "platform.json")["database_owner"])
    # They are not empty, and the messages were heard: what would hold the marks is there.
    assert b"gw-try" in kept["a dump"]
    assert b"duration: " in kept["database.log"]
    marks = [(mark, mark.encode()) for mark in (LON, LAT, PLATE)]
    return [(name, mark) for name, text in kept.items() for mark, raw in marks if raw in text]


def _read(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_text())
    return content


def _password(kept: dict[str, Any]) -> str:
    return next(str(one["password"]) for one in kept["gateways"] if one["username"] == "gw-try")


def _operations(paths: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for template, methods in paths.items():
        # Marked names of things, but for what would make one of that name.
        path = re.sub("{.*?}", PLATE.lower(), template)
        yield from ((method, path) for method in methods)


def _ask(client: httpx.Client, method: str, url: str, headers: dict[str, str]) -> None:
    if url.startswith("/v1/stream"):
        with client.stream(method, url, headers=headers):
            return
    if method == "get":
        client.get(url, headers=headers)
        return
    body = {"lot_id": PLATE, "vehicle": PLATE, "reason": f"{LON} {LAT}", "plate": PLATE}
    client.request(method, url, headers=headers, json=body)


async def _ask_slowly(database_url: str, is_logged: Callable[[], bool]) -> None:
    """Have a statement with what is marked take so long that it is logged."""
    db = await asyncpg.connect(database_url)
    try:
        statement = "SELECT pg_sleep(1.2), $1::float8, $2::float8, $3::text"
        await db.fetch(statement, float(LON), float(LAT), PLATE)
    finally:
        await db.close()
    await until(is_logged)


def _dump(database_url: str, owners_password: str) -> bytes:
    url = re.sub("//.*@", f"//onelot:{owners_password}@", database_url)
    command = [str(postgres.binaries() / "pg_dump"), "--inserts", url]
    return subprocess.run(command, capture_output=True, check=True).stdout
