"""Routes of the pages and of what they load. They are no part of the OpenAPI document."""

from http import HTTPStatus
from types import MappingProxyType
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, HTTPException, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from parking_api.parameters import Nothing
from parking_api.public_reads import accepts
from parking_api.web.files import Pages

router = APIRouter(include_in_schema=False)

# Nothing of another host, and no script or style within the page. The map makes its worker from a
# file of ours, and its pictures from data.
_GUARDS: Final = MappingProxyType(
    {
        "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
        "img-src 'self' data: blob:; connect-src 'self'; worker-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'",
        "Permissions-Policy": "geolocation=(self), camera=(), microphone=()",
    }
)
# A name holds a hash of what is in the file: what has the name never changes.
_FOR_EVER: Final = "public, max-age=31536000, immutable"


async def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


BuiltPages = Annotated[Pages, Depends(_pages)]


class Anything(BaseModel):
    """Links to pages may have parameters that others have added: they are not looked at."""

    model_config = ConfigDict(frozen=True, extra="ignore")


@router.get("/")
async def drivers(_: Annotated[Anything, Query()], pages: BuiltPages) -> Response:
    """Give the page for drivers."""
    return Response(pages.page("index.html"), headers=_GUARDS, media_type="text/html")


@router.get("/operations")
async def operations(_: Annotated[Anything, Query()], pages: BuiltPages) -> Response:
    """Give the page for operations and operators; it asks for a key itself."""
    return Response(pages.page("operations.html"), headers=_GUARDS, media_type="text/html")


@router.get("/sign")
async def sign(_: Annotated[Anything, Query()], pages: BuiltPages) -> Response:
    """Give the page of a guidance sign, which looks at its query itself."""
    return Response(pages.page("sign.html"), headers=_GUARDS, media_type="text/html")


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
