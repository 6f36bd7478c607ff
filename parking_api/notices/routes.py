"""The route of notices."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from parking_api.audit import Connection
from parking_api.errors import described
from parking_api.notices import blocks, service
from parking_api.resources import Deps, Resources
from parking_api.tariffs import controls, queries
from parking_api.tariffs.errors import TariffUnknownError
from parking_api.tariffs.models import NoticeAsk
from parking_api.tariffs.paths import VERSION_PATH, Number, TariffId
from parking_api.tariffs.queries import Key
from parking_api.tariffs.visiting import SeesAll
from parking_api.worker import off_loop
from sql.named import named

router = APIRouter(tags=["tariffs"])

BAD: Final = HTTPStatus.UNPROCESSABLE_ENTITY
AWAY: Final = HTTPStatus.SERVICE_UNAVAILABLE
MARKDOWN: Final = "text/markdown"
HTML: Final = "text/html"


@router.get(
    f"{VERSION_PATH}/notice",
    response_class=Response,
    responses={
        200: {
            "content": {
                HTML: {"schema": {"type": "string"}},
                MARKDOWN: {"schema": {"type": "string"}},
            },
            "description": "The notice, in Chinese.",
        },
        **described(TariffUnknownError, BAD, AWAY),
    },
)
async def public_notice(
    tariff_id: TariffId,
    version: Number,
    ask: Annotated[NoticeAsk, Query()],
    deps: Deps,
    sees_all: SeesAll,
) -> Response:
    """Give the public notice of a version: the official text in Chinese, with its quick table.

    Public once the version is published; before, for the bureau.
    """
    async with deps.database.connection() as connection:
        subject = await _subject(deps, connection, Key(tariff_id, version), sees_all=sees_all)
    write, media_type = (blocks.html, HTML) if ask.f == "html" else (blocks.markdown, MARKDOWN)
    text = await off_loop(lambda: write(service.title(subject), service.blocks(subject)))
    return Response(text, media_type=media_type)


async def _subject(
    deps: Resources, connection: Connection, key: Key, *, sees_all: bool
) -> service.Subject:
    now = deps.clock()
    row = await queries.version(connection, key, now, whole=sees_all)
    tariff, target = queries.tariff_of(row), queries.target_of(row)
    places = await connection.fetch(named("notice_places"), list(target.zones), list(target.lots))
    # Of a draft nobody knows yet when it comes into force: as if now.
    start = row["effective_from"] or now
    references = await controls.applying(connection, target, start, row["effective_to"])
    return service.Subject(
        tariff=tariff,
        version=key.version,
        content_hash=row["content_hash"],
        places=[place["name_zh"] for place in places],
        lot_types=target.lot_types,
        references=list(dict.fromkeys(each["legal_reference_zh"] for each in references)),
        effective_from=start,
        effective_to=row["effective_to"],
        calendar=deps.prices.calendar,
        withdrawn=row["state"] == "withdrawn",
    )
