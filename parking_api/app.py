"""Creates the FastAPI application: its routes, resources and middleware."""

import functools
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
from fastapi import Depends, FastAPI, Request, Response

from parking_api.calendar import routes as calendar_routes
from parking_api.city import routes as city_routes
from parking_api.database import Database
from parking_api.errors import Problem, add_handlers
from parking_api.feeds import routes as feed_routes
from parking_api.lots import routes as lot_routes
from parking_api.lots.following import followed_city
from parking_api.lots.models import LotCollection
from parking_api.mechanisms import routes as mechanism_routes
from parking_api.metrics import Metrics
from parking_api.notices import routes as notice_routes
from parking_api.observing import Observing
from parking_api.operators import routes as operator_routes
from parking_api.parameters import refuse_repeats
from parking_api.people import routes as people_routes
from parking_api.people.tokens import Signer
from parking_api.price_controls import routes as control_routes
from parking_api.quotes import routes as quote_routes
from parking_api.quotes.following import followed_prices
from parking_api.resources import Resources
from parking_api.settings import ApiSettings
from parking_api.spaces import routes as space_routes
from parking_api.tariffs import routes as tariff_routes
from parking_api.unread_bodies import UnreadBodies
from parking_api.zones import routes as zone_routes
from parking_api.zones.moving import moving_lots
from sql.engine import create_pool

DESCRIPTION = """
The whole city's parking as one lot: which lots and which single bays are free near a place, and how
full the city is.

- Coordinates are longitude, latitude in WGS 84; distances are metres on the spheroid.
- Times are RFC 3339 with their offset: of a lot in its own time zone, else in UTC.
- Errors are `application/problem+json` (RFC 9457). Unknown and repeated parameters are errors.
- `data_state` says what is known, by the age of a lot's state: `live` until 90 s or 1.5 of its
  report intervals, whichever is more; `stale` until 15 min or 3 of them; after that the lot is
  `unknown`, and its count is not shown. `age_s` is the age.
- Spaces of which nothing is known count neither as free nor as occupied: `unknown_spaces`.
"""
TAGS = [
    {"name": "lots", "description": "Lots: the nearest, lists, one by one, their history."},
    {"name": "spaces", "description": "Single bays."},
    {"name": "city", "description": "The city and its districts."},
    {"name": "quotes", "description": "What a stay costs."},
    {"name": "zones", "description": "Tariff zones, and how the bureau draws them."},
    {"name": "tariffs", "description": "Tariffs, their versions, how the bureau changes them."},
    {"name": "operators", "description": "Operators, their feeds, and what was refused of them."},
    {"name": "mechanisms", "description": "Prices that move: the rules, and their reviews."},
    {"name": "people", "description": "Who may change things: people, their keys and tokens."},
    {"name": "operations", "description": "For those who run the platform."},
]

ROUTES = (
    lot_routes,
    space_routes,
    city_routes,
    quote_routes,
    zone_routes,
    tariff_routes,
    control_routes,
    calendar_routes,
    mechanism_routes,
    notice_routes,
    people_routes,
    operator_routes,
    feed_routes,
)


def utc_now() -> datetime:
    """Return the present time, in UTC."""
    return datetime.now(UTC)


def create_app(
    settings: ApiSettings, database_url: str, clock: Callable[[], datetime] = utc_now
) -> FastAPI:
    """Create the application.

    Args:
        settings: The API's settings.
        database_url: `postgresql://...`.
        clock: Returns the present time, aware.

    Returns:
        An application whose lifespan reads the city and the tariffs until it ends. It starts
        without a database: requests are answered with 503 until the city has been read.
    """
    metrics = Metrics(settings.run_figures)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        pool = create_pool(
            database_url,
            application="onelot-api",
            min_size=0,
            max_size=settings.pool_size,
            command_timeout_s=settings.query_timeout_s,
        )
        async with pool:
            database = Database(pool, settings.acquire_timeout_s)
            following = followed_city(database, settings.reload_interval_s, settings.mqtt_url)
            async with (
                moving_lots(database, settings.reload_interval_s, clock) as changed,
                followed_prices(
                    database, database_url, settings.reload_interval_s, changed
                ) as prices,
                following as city,
            ):
                app.state.city, app.state.prices = city, prices
                readings = (city.reading, prices.reading)
                app.state.resources = Resources(database, metrics, clock, readings)
                yield

    app = FastAPI(
        title="OneLot",
        version="1",
        description=DESCRIPTION,
        openapi_tags=TAGS,
        lifespan=lifespan,
        redirect_slashes=False,
        dependencies=[Depends(refuse_repeats)],
    )
    for routes in ROUTES:
        app.include_router(routes.router)
    add_handlers(app)
    app.add_middleware(Observing, metrics=metrics)
    app.add_middleware(UnreadBodies)
    app.state.metrics = metrics
    app.state.signer = _signer(settings)
    _declare_models(app)
    return app


def _signer(settings: ApiSettings) -> Signer:
    given = settings.token_secret
    return Signer((given.get_secret_value() if given else secrets.token_urlsafe(32)).encode())


def _declare_models(app: FastAPI) -> None:
    """Add models of other media types than JSON to OpenAPI, and remove the framework's own."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        schemas = document["components"]["schemas"]
        for model in (Problem, LotCollection):
            schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas.update(schema.pop("$defs"))
            schemas[model.__name__] = schema
        for framework in ("HTTPValidationError", "ValidationError"):
            schemas.pop(framework, None)
        return document

    # As FastAPI's documentation has it: the instance's method is replaced.
    app.openapi = functools.cache(openapi)  # type: ignore[method-assign]
    written = functools.cache(lambda: orjson.dumps(app.openapi()))

    async def described(_: Request) -> Response:
        return Response(written(), media_type="application/json")

    # FastAPI's own writes the document anew for each request.
    routes = app.router.routes
    routes[:] = [route for route in routes if getattr(route, "path", "") != app.openapi_url]
    app.add_route(str(app.openapi_url), described, include_in_schema=False)
