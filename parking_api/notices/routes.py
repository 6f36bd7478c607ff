"""The route of notices."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from parking_api.notices import pages, service
from parking_api.notices.models import NoticeAsk, NoticeInWords
from parking_api.people.access import SeesAll, public_with_login
from parking_api.quotes.following import CurrentPrices
from parking_api.resources import Deps
from parking_api.tariffs.errors import TariffUnknownError
from parking_api.tariffs.key import VERSION_PATH, VersionKey
from parking_api.worker import off_loop

router = APIRouter(tags=["tariffs"])

MARKDOWN: Final = "text/markdown"
HTML: Final = "text/html"
JSON: Final = "application/json"


@router.get(
    f"{VERSION_PATH}/notice",
    response_class=Response,
    responses={
        200: {
            "model": NoticeInWords,
            "content": {
                HTML: {"schema": {"type": "string"}},
                MARKDOWN: {"schema": {"type": "string"}},
            },
            "description": "The notice, in Chinese or English.",
        },
        **public_with_login(TariffUnknownError),
    },
)
async def get_notice(
    key: VersionKey,
    ask: Annotated[NoticeAsk, Query()],
    deps: Deps,
    prices: CurrentPrices,
    sees_all: SeesAll,
) -> Response:
    """Give the public notice of a version: the official text, with its quick table.

    It is a page of HTML, with `f=md` Markdown; with `f=json` its sentences and tables, each section
    with what it is about. It is in Chinese, or with `lang=en` in English. Public once the version
    is published; before, for the bureau.
    """
    async with deps.database.connection() as db:
        subject = await service.subject(
            db, key, deps.clock(), prices.calendar, include_drafts=sees_all
        )
    headers: dict[str, str] = {"Content-Language": ask.lang}
    if ask.f == "json":
        notice = NoticeInWords.model_validate(await off_loop(service.compose, subject, ask.lang))
        return Response(notice.model_dump_json(), media_type=JSON, headers=headers)
    write, media_type = (pages.html, HTML) if ask.f == "html" else (pages.markdown, MARKDOWN)
    text = await off_loop(lambda: write(service.compose(subject, ask.lang)))
    if media_type == HTML:
        headers["Content-Security-Policy"] = pages.policy(text)
    return Response(text, media_type=media_type, headers=headers)
