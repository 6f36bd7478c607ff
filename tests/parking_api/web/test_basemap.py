"""A map of one's own below the lots, in its own coordinates; served here on loopback."""

import asyncio
import io
import json
import struct
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, expect

from parking_api.coordinates import wgs84_to_gcj02
from parking_api.settings import ApiSettings
from tests.parking_api.processes import serving
from tests.parking_api.serving import get
from tests.parking_api.web.conftest import COUNTED, DESK, Visit, Visitor
from tests.polling import until

RED = (200, 40, 40)
# Where there is no lot.
AWAY = (120.9, 36.3)


def tile() -> bytes:
    """A PNG of 256 by 256 red pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)

    rows = (b"\0" + bytes(RED) * 256) * 256
    head = struct.pack(">IIBBBBB", 256, 256, 8, 2, 0, 0, 0)
    made = io.BytesIO(b"\x89PNG\r\n\x1a\n")
    made.seek(0, io.SEEK_END)
    for kind, body in ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
        made.write(chunk(kind, body))
    return made.getvalue()


@dataclass
class TileServer:
    """Serves a style and its tiles, and counts what it was asked for."""

    url: str = ""
    asked: list[str] = field(default_factory=list)

    def answer(self, path: str) -> tuple[str, bytes] | None:
        """The media type and the body for a path."""
        self.asked.append(path)
        if path == "/style.json":
            source = {"type": "raster", "tiles": [f"{self.url}/{{z}}/{{x}}/{{y}}.png"]}
            style = {
                "version": 8,
                # Fonts that it does not have: names are written in those of the device.
                "glyphs": f"{self.url}/fonts/{{fontstack}}/{{range}}.pbf",
                "sources": {"own": source | {"tileSize": 256}},
                "layers": [{"id": "own", "type": "raster", "source": "own"}],
            }
            return "application/json", json.dumps(style).encode()
        return ("image/png", tile()) if path.endswith(".png") else None


@pytest.fixture
async def tiles() -> AsyncIterator[TileServer]:
    served = TileServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = served.answer(self.path)
            self.send_response(200 if found else 404)
            self.send_header("Access-Control-Allow-Origin", "*")
            if found:
                self.send_header("Content-Type", found[0])
            self.end_headers()
            if found:
                self.wfile.write(found[1])

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield served
        await asyncio.to_thread(server.shutdown)
        thread.join()


async def corner(visit: Visit) -> tuple[int, int, int]:
    """The colour of a corner of the map."""
    picture = await visit.page.screenshot(clip={"x": 1270, "y": 10, "width": 1, "height": 1})
    red, green, blue = await visit.page.evaluate(
        """async (bytes) => {
            const picture = await createImageBitmap(new Blob([new Uint8Array(bytes)]));
            const pen = new OffscreenCanvas(1, 1).getContext("2d");
            pen.drawImage(picture, 0, 0);
            return [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)];
        }""",
        list(picture),
    )
    return red, green, blue


async def is_red(visit: Visit) -> bool:
    return sum(abs(a - b) for a, b in zip(await corner(visit), RED, strict=True)) < 30


async def at_middle(visit: Visit) -> list[float]:
    """Where the map is centred, in its own coordinates."""
    told = await visit.page.locator(".map").get_attribute("data-middle")
    assert told is not None
    return [float(degrees) for degrees in told.split(",")]


@pytest.mark.parametrize("address", ["/style.json", "/{z}/{x}/{y}.png"])
async def test_it_lies_below_the_lots_in_its_own_coordinates(
    built: object, browser: Browser, city_url: str, tiles: TileServer, address: str
) -> None:
    del built
    own = {"WEB_BASEMAP": tiles.url + address, "WEB_BASEMAP_SYSTEM": "gcj02"}
    with serving(city_url, **own) as api:
        async with httpx.AsyncClient(base_url=api.url) as client:
            lot = await get(client, f"/v1/lots/{COUNTED}")
            policy = (await client.get("/")).headers["content-security-policy"]
            others = (await client.get("/sign")).headers["content-security-policy"]
        assert f"connect-src 'self' {tiles.url};" in policy
        assert f"img-src 'self' data: blob: {tiles.url};" in policy
        assert policy.replace(f" {tiles.url}", "") == others
        there = wgs84_to_gcj02(*lot["location"]["coordinates"])
        # Requests to the basemap's host are what it may complain of, and all.
        async with Visitor(browser, api.url).visit(
            f"/#lot={COUNTED}", may_complain=True, viewport=DESK
        ) as visit:
            await until(visit.marks, "marks on the map")
            await until(partial(is_red, visit), "the basemap")
            assert [one for one in visit.complaints if not one.startswith(tiles.url)] == []
            assert any(path.endswith(".png") for path in tiles.asked)
            assert not [path for path in tiles.asked if "fonts" in path]
            # The lot lies where the basemap has it.
            assert await at_middle(visit) == pytest.approx(there, abs=2e-5)
            style = "style" if "json" in address else "tiles"
            await visit.picture(f"drivers-basemap-{style}-desk-zh-light")
            # A click asks in WGS 84: here in the middle, beside the panel.
            await visit.page.goto(f"{api.url}/#at={AWAY[0]},{AWAY[1]}")

            async def is_there() -> bool:
                there = pytest.approx(wgs84_to_gcj02(*AWAY), abs=2e-5)
                return await at_middle(visit) == there

            await until(is_there, "the map at the place")
            await visit.page.mouse.click((424 + DESK["width"]) / 2, DESK["height"] / 2)
            await expect(visit.page.locator("h2")).to_have_text("地图上的点附近")
            at = visit.page.url.partition("at=")[2].partition("&")[0].replace("%2C", ",")
            assert [float(each) for each in at.split(",")] == pytest.approx(AWAY, abs=1e-4)


async def test_without_its_host_the_ground_is_the_platforms(
    built: object, browser: Browser, city_url: str
) -> None:
    del built
    own = {"WEB_BASEMAP": "http://127.0.0.1:9/style.json"}
    with serving(city_url, **own) as api:
        async with Visitor(browser, api.url).visit(may_complain=True) as visit:
            await until(visit.marks, "marks on the map")


@pytest.mark.parametrize(
    ("address", "system"),
    [
        ("style.json", "wgs84"),
        ("ftp://maps.example/style.json", "wgs84"),
        ("https://user:secret@maps.example/style.json", "wgs84"),
        ("https://maps.example;script-src *//style.json", "wgs84"),
        ("https://maps.example script-src/style.json", "wgs84"),
        ("https://maps.example/{z}/{x}.png", "wgs84"),
        ("https://maps.example/style.json", "bd09"),
        ("", "gcj02"),
    ],
)
def test_what_is_no_basemap_is_refused(
    monkeypatch: pytest.MonkeyPatch, address: str, system: str
) -> None:
    monkeypatch.setenv("WEB_BASEMAP", address)
    monkeypatch.setenv("WEB_BASEMAP_SYSTEM", system)
    with pytest.raises(ValueError, match=r"WEB_BASEMAP|'wgs84' or 'gcj02'"):
        ApiSettings()


def test_the_api_does_not_start_with_a_wrong_one(city_url: str) -> None:
    with pytest.raises(AssertionError, match="it ended"), serving(city_url, WEB_BASEMAP="nowhere"):
        pass
