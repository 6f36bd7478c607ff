"""Routes of the pages and of what they load. They are no part of the OpenAPI document."""

from collections.abc import Mapping
from html import escape
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, HTTPException, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from parking_api.parameters import Nothing
from parking_api.public_reads import accepts
from parking_api.settings import WebSettings
from parking_api.web.files import Pages

router = APIRouter(include_in_schema=False)

_PERMISSIONS: Final = "geolocation=(self), camera=(), microphone=()"
# A name holds a hash of what is in the file: what has the name never changes.
_FOR_EVER: Final = "public, max-age=31536000, immutable"


def _guards(basemap_origin: str | None = None) -> Mapping[str, str]:
    """Let in nothing of another host but the basemap's, and no script or style within the page.

    The map makes its worker from a file of ours, and its pictures from data.
    """
    also = f" {basemap_origin}" if basemap_origin else ""
    policy = (
        f"default-src 'none'; script-src 'self'; style-src 'self'; "
        f"img-src 'self' data: blob:{also}; connect-src 'self'{also}; worker-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return {"Content-Security-Policy": policy, "Permissions-Policy": _PERMISSIONS}


async def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


BuiltPages = Annotated[Pages, Depends(_pages)]


async def _settings(request: Request) -> WebSettings:
    settings: WebSettings = request.app.state.web
    return settings


class Anything(BaseModel):
    """Links to pages may have parameters that others have added: they are not looked at."""

    model_config = ConfigDict(frozen=True, extra="ignore")


@router.get("/")
async def drivers(
    _: Annotated[Anything, Query()],
    pages: BuiltPages,
    settings: Annotated[WebSettings, Depends(_settings)],
) -> Response:
    """Give the page for drivers, which names the basemap, if there is one."""
    page = pages.page("index.html")
    if settings.basemap:
        basemap = (
            f'<meta name="basemap" content="{escape(settings.basemap)}" '
            f'data-system="{settings.basemap_system}" /></head>'
        )
        page = page.replace(b"</head>", basemap.encode(), 1)
    return Response(page, headers=_guards(settings.basemap_origin), media_type="text/html")


@router.get("/operations")
async def operations(_: Annotated[Anything, Query()], pages: BuiltPages) -> Response:
    """Give the page for operations and operators; it asks for a key itself."""
    return Response(pages.page("operations.html"), headers=_guards(), media_type="text/html")


@router.get("/sign")
async def sign(_: Annotated[Anything, Query()], pages: BuiltPages) -> Response:
    """Give the page of a guidance sign, which looks at its query itself."""
    return Response(pages.page("sign.html"), headers=_guards(), media_type="text/html")


@router.get("/assets/{name}")
async def asset(
    name: str, _: Nothing, pages: BuiltPages, accept_encoding: Annotated[str, Header()] = ""
) -> Response:
    """Give what a page loads, in the smallest form that the asker takes."""
    found = pages.asset(name)
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    headers = {"Cache-Control": _FOR_EVER, "Vary": "Accept-Encoding"}
    asked = accept_encoding.encode("latin-1")
    for coding, packed in found.packed.items():
        if accepts(asked, coding.encode()):
            headers["Content-Encoding"] = coding
            return Response(packed, headers=headers, media_type=found.media_type)
    return Response(found.body, headers=headers, media_type=found.media_type)
