"""The page that describes the API loads from the API alone, and holds nothing that runs inline."""

from html.parser import HTMLParser
from typing import Any

import httpx

from tests.parking_api.serving import is_problem

TYPES = {
    "docs/swagger-ui.css": "text/css; charset=utf-8",
    "docs/favicon-32x32.png": "image/png",
    "docs/swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "docs/start.js": "text/javascript; charset=utf-8",
}


class Parts(HTMLParser):
    """What a page loads, and what it holds inline."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.inline: list[str] = []
        self._tag = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._tag = tag
        for name, value in attrs:
            if name in ("src", "href"):
                self.loaded.append(str(value))
            if name == "style" or name.startswith("on"):
                self.inline.append(name)

    def handle_data(self, data: str) -> None:
        if self._tag in ("script", "style") and data.strip():
            self.inline.append(data)


async def test_the_page_loads_from_this_host_alone(big_api: httpx.AsyncClient) -> None:
    page = await big_api.get("/docs")
    parts = Parts()
    parts.feed(page.text)

    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "OneLot" in page.text
    assert set(parts.loaded) == TYPES.keys()
    assert parts.inline == []
    for path, media_type in TYPES.items():
        answer = await big_api.get(f"/{path}")
        assert answer.status_code == 200, path
        assert answer.headers["content-type"] == media_type
    start = (await big_api.get("/docs/start.js")).text
    assert 'url: "openapi.json"' in start
    assert "//" not in start.replace("// Swagger UI", "")


async def test_the_policy_lets_nothing_else_in(big_api: httpx.AsyncClient) -> None:
    answer = await big_api.get("/docs")
    policy = dict(
        each.strip().split(" ", 1) for each in answer.headers["content-security-policy"].split(";")
    )

    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert "unsafe" not in str(policy)
    assert "http" not in str(policy)


async def test_what_it_loads_is_kept_and_compressed(big_api: httpx.AsyncClient) -> None:
    path = "/docs/swagger-ui-bundle.js"
    answer = await big_api.get(path, headers={"accept-encoding": "gzip"})
    known: Any = {"if-none-match": answer.headers["etag"]}

    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < len(answer.content) / 2
    assert (await big_api.get(path, headers=known)).status_code == 304


async def test_nothing_else_is_there(big_api: httpx.AsyncClient) -> None:
    for path in ("/docs/routes.py", "/docs/..%2Froutes.py", "/docs/page.html", "/redoc"):
        assert is_problem(await big_api.get(path), 404), path
