"""How the pages are sent: guarded, compressed, kept for ever or asked for again."""

import gzip
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from parking_api.web.files import Pages
from tests.parking_api.serving import app_of, is_problem

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
async def site(big_api: httpx.AsyncClient, tmp_path: Path) -> Any:
    """The API with pages of two files."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>x</title>")
    for name, text in (("a-1.js", b"1;"), ("a-1.js.gz", b"by gzip"), ("a-1.js.br", b"by br")):
        (tmp_path / "assets" / name).write_bytes(text)
    app = app_of(big_api)
    before, app.state.pages = app.state.pages, Pages(tmp_path)
    yield big_api
    app.state.pages = before


async def test_a_page_lets_nothing_in_from_elsewhere(site: httpx.AsyncClient) -> None:
    answer = await site.get("/", params={"utm_source": "somewhere"})
    parts = answer.headers["content-security-policy"].split(";")
    policy = dict(part.strip().split(" ", 1) for part in parts)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["worker-src"] == "'self'"
    assert policy["img-src"] == "'self' data: blob:"
    assert "unsafe" not in str(policy)


async def test_a_page_is_asked_for_again_by_its_tag(site: httpx.AsyncClient) -> None:
    first = await site.get("/")
    known = await site.get("/", headers={"if-none-match": first.headers["etag"]})
    assert first.headers["cache-control"] == "no-cache"
    assert (known.status_code, known.content) == (304, b"")


@pytest.mark.parametrize(
    ("accepted", "coding", "body"),
    [
        ("gzip, deflate, br", "br", b"by br"),
        ("gzip;q=1, br;q=0", "gzip", b"by gzip"),
        ("deflate", None, b"1;"),
        ("", None, b"1;"),
    ],
)
async def test_what_it_loads_is_sent_as_it_was_packed(
    site: httpx.AsyncClient, accepted: str, coding: str | None, body: bytes
) -> None:
    request = site.build_request("GET", "/assets/a-1.js", headers={"accept-encoding": accepted})
    answer = await site.send(request, stream=True)
    sent = b"".join([piece async for piece in answer.aiter_raw()])
    assert answer.headers.get("content-encoding") == coding
    assert sent == body
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["vary"] == "Accept-Encoding"


async def test_what_a_later_build_has_made_is_there(
    site: httpx.AsyncClient, tmp_path: Path
) -> None:
    """Another process may have sent its page already."""
    assert is_problem(await site.get("/assets/a-3.js"), 404)
    (tmp_path / "assets/a-3.js").write_bytes(b"3;")
    assert (await site.get("/assets/a-3.js")).content == b"3;"


async def test_nothing_else_is_there(site: httpx.AsyncClient) -> None:
    for path in ("a-2.js", "a-1.js.br", "..%2Findex.html", "index.html", ""):
        assert is_problem(await site.get(f"/assets/{path}"), 404), path


async def test_pages_that_are_not_built_say_so(big_api: httpx.AsyncClient, tmp_path: Path) -> None:
    app = app_of(big_api)
    before, app.state.pages = app.state.pages, Pages(tmp_path / "nowhere")
    try:
        answer = await big_api.get("/", headers={"accept-language": "zh"})
    finally:
        app.state.pages = before
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:onelot:problem:pages-not-built"
    assert "make setup" in answer.json()["detail"]


def test_what_is_built_is_packed_whole_and_named_by_its_hash(built: Path) -> None:
    pages = Pages(built)
    html = pages.page("index.html").decode()
    made = json.loads((built / ".assets.json").read_text(encoding="utf-8"))
    names = [name for name in made if name.endswith((".js", ".css"))]
    assert any(f"assets/{name}" in html for name in names)
    for name in names:
        found = pages.asset(name)
        assert found is not None
        assert gzip.decompress(found.packed["gzip"]) == found.body
        assert len(found.packed["br"]) < len(found.packed["gzip"]) < len(found.body)


def test_the_lock_of_the_pages_names_no_address() -> None:
    lock = json.loads((ROOT / "parking_api/web/package-lock.json").read_text(encoding="utf-8"))
    assert len(lock["packages"]) > 50
    assert not [name for name, one in lock["packages"].items() if "resolved" in one]
