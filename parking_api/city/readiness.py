"""Readiness of the platform: which parts are missing, for people and alerts."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus
from typing import Final

from parking_api.city import queries
from parking_api.city.following import FollowedCity
from parking_api.city.hour import RESTARTS, Hour, live_lots
from parking_api.city.models import Condition, Program
from parking_api.city.queries import Readiness
from parking_api.errors import ApiError, DatabaseAwayError
from parking_api.languages import Language, in_chinese
from parking_api.resources import Resources

# A heartbeat comes every few seconds, through broker, inbox and a commit.
HEARTBEAT_WITHIN: Final = timedelta(seconds=15)
# Callers wait for a few seconds only: a database that has not answered by then counts as away.
_DATABASE_WITHIN_S: Final = 1.0
_STOPPED: Final = {
    "internal": "the messages of several gateways failed by a fault of ours",
    "clock": "the platform's clock is behind those of several operators",
}


class NotReadyError(ApiError, status=HTTPStatus.SERVICE_UNAVAILABLE):
    """The platform is not whole."""

    def __init__(self, missing: dict[str, str]) -> None:
        super().__init__(" ".join(missing.values()))
        self.members = {"missing": list(missing)}


async def ready_lots(deps: Resources, city: FollowedCity) -> int:
    """Return the number of lots, where no part of the platform is missing.

    Raises:
        NotReadyError: With each part that is missing: `database`, `broker`, `ingester`, `city`.
    """
    missing = {}
    if city.hears_broker is False:
        missing["broker"] = "The API has no connection to the broker."
    row = None
    try:
        async with deps.database.connection() as db, asyncio.timeout(_DATABASE_WITHIN_S):
            row = await queries.readiness(db, HEARTBEAT_WITHIN)
    except DatabaseAwayError as error:
        missing["database"] = error.detail
    if row is not None:
        missing |= dict(_missing(row))
    if not deps.has_city:
        missing.setdefault("city", "The API has not read the city yet.")
    if missing or row is None:
        raise NotReadyError(missing)
    return row.lots


def _missing(row: Readiness) -> Iterator[tuple[str, str]]:
    if row.stopped:
        yield "ingester", f"The ingester takes no messages: {_STOPPED[row.stopped]}."
    elif not row.is_beating:
        yield "ingester", "The ingester has not been heard from."
    if not row.lots:
        yield "city", "No lot is loaded yet."
    elif row.lots_awaited:
        yield (
            "city",
            f"{row.lots_awaited} of {row.lots} lots have not been heard from yet.",
        )


async def condition(
    deps: Resources, city: FollowedCity, hour: Hour, language: Language
) -> Condition:
    """Return what is missing, in that language, how it fares, and what the last hour was like."""
    missing: list[str] = []
    detail = None
    try:
        await ready_lots(deps, city)
    except NotReadyError as error:
        missing, detail = error.members["missing"], error.detail
    if detail is not None and language == "zh":
        detail = in_chinese(detail) or detail
    now = deps.clock()
    return Condition(
        missing=missing,
        detail=detail,
        programs=_programs(deps),
        as_of=city.as_of,
        observations_per_s=hour.observations_per_s(now),
        lots=len(city.table.lots),
        lots_live=live_lots(city, now),
        last_hour=hour.answer(now),
    )


def _programs(deps: Resources) -> list[Program] | None:
    up = deps.metrics.run_samples("onelot_run_up")
    restarts = deps.metrics.run_samples(RESTARTS)
    if up is None or restarts is None:
        return None
    return [
        Program(name=name, is_up=bool(is_up), restarts=int(restarts.get(name, 0)))
        for name, is_up in up.items()
    ]
