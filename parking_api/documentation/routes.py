"""Routes of the page that describes the API: our page and start, Swagger UI from its package."""

from functools import cache
from http import HTTPStatus
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from fastapi import APIRouter, HTTPException, Response

from parking_api.parameters import Nothing

router = APIRouter(include_in_schema=False)

_OWN: Final = files(__package__)
_SWAGGER_UI: Final = files("fastapi_swagger") / "resources"
_MEDIA_TYPES: Final = MappingProxyType(
    {"css": "text/css", "html": "text/html", "js": "text/javascript", "png": "image/png"}
)
# Nothing of another host, nothing inline. Swagger UI's style sheet has pictures as data.
_GUARDS: Final = MappingProxyType(
    {
        "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
        "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'",
    }
)
_ASSETS: Final = MappingProxyType(
    {
        "start.js": _OWN,
        "swagger-ui-bundle.js": _SWAGGER_UI,
        "swagger-ui.css": _SWAGGER_UI,
        "favicon-32x32.png": _SWAGGER_UI,
    }
)


@router.get("/docs")
async def page(_: Nothing) -> Response:
    """Give the page."""
    return _sent("page.html")


@router.get("/docs/{name}")
async def asset(name: str, _: Nothing) -> Response:
    """Give what the page loads."""
    if name not in _ASSETS:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return _sent(name)


def _sent(name: str) -> Response:
    media_type = _MEDIA_TYPES[name.rpartition(".")[2]]
    return Response(_read(name), headers=_GUARDS, media_type=media_type)


@cache
def _read(name: str) -> bytes:
    return (_ASSETS.get(name, _OWN) / name).read_bytes()
