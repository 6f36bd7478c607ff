"""Creates the FastAPI application: its routes, resources and middleware."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from fastapi import Depends, FastAPI

from parking_api.calendar import routes as calendar_routes
from parking_api.city import routes as city_routes
from parking_api.city.following import FollowedCity, followed_city
from parking_api.city.hour import Hour, kept_hour
from parking_api.clients import Clients, PerClient
from parking_api.database import Database
from parking_api.decisions import routes as decision_routes
from parking_api.documentation import routes as documentation_routes
from parking_api.enrolments import routes as enrolment_routes
from parking_api.errors import add_handlers
from parking_api.feeds import routes as feed_routes
from parking_api.feeds.places import Places
from parking_api.feeds.pushing import Pushes, pushing
from parking_api.hot_routes import HotRoute, HotRoutes
from parking_api.importing import routes as import_routes
from parking_api.listening import listening
from parking_api.lots import routes as lot_routes
from parking_api.lots.models import (
    NearestLotsAsk,
)
from parking_api.lots.streaming import Changes
from parking_api.lots.writing import Writer
from parking_api.maps import routes as map_routes
from parking_api.maps.keeping import Maps
from parking_api.mechanisms import routes as mechanism_routes
from parking_api.metrics import Metrics
from parking_api.notices import routes as notice_routes
from parking_api.observing import MetricsApart, Observing
from parking_api.openapi import DESCRIPTION, TAGS, operation_id, serve_openapi
from parking_api.operators import routes as operator_routes
from parking_api.operators.logins import FollowedLogins, followed_logins
from parking_api.parameters import refuse_odd_queries
from parking_api.people import routes as people_routes
from parking_api.people.alerts import Recoveries, watching
from parking_api.people.tokens import Signer
from parking_api.places import routes as place_routes
from parking_api.places.following import FollowedNames, followed_names
from parking_api.price_controls import routes as control_routes
from parking_api.public_reads import Options, PublicReads
from parking_api.quotes import routes as quote_routes
from parking_api.quotes.following import FollowedPrices, followed_prices
from parking_api.resources import Resources
from parking_api.settings import ApiSettings
from parking_api.spaces import routes as space_routes
from parking_api.spaces.models import NearestSpacesAsk
from parking_api.spaces.writing import Writer as BayWriter
from parking_api.tariffs import routes as tariff_routes
from parking_api.tariffs import suspension_routes
from parking_api.unread_bodies import UnreadBodies
from parking_api.web import listing as list_routes
from parking_api.web import routes as web_routes
from parking_api.web.files import Pages
from parking_api.workers import Shared
from parking_api.zones import routes as zone_routes
from parking_api.zones.moving import LotMoves, moving_lots
from sql.engine import EVERYBODY, Pool, create_pool

ROUTES = (
    lot_routes,
    space_routes,
    map_routes,
    place_routes,
    city_routes,
    quote_routes,
    zone_routes,
    tariff_routes,
    suspension_routes,
    decision_routes,
    import_routes,
    control_routes,
    calendar_routes,
    mechanism_routes,
    notice_routes,
    people_routes,
    enrolment_routes,
    operator_routes,
    feed_routes,
    documentation_routes,
    web_routes,
    list_routes,
)


def utc_now() -> datetime:
    """Return the present time, in UTC."""
    return datetime.now(UTC)


def create_app(
    settings: ApiSettings,
    database_url: str,
    clock: Callable[[], datetime] = utc_now,
    shared: Shared | None = None,
) -> FastAPI:
    """Create the application.

    Args:
        settings: The API's settings.
        database_url: `postgresql://...`, by the role of the part, or of the public part for both.
        clock: Returns the present time, aware.
        shared: What the processes of the API count in together; None for a process that is alone.

    Returns:
        An application whose lifespan reads the city and the tariffs until it ends. It starts
        without a database: requests are answered with 503 until the city has been read.
    """
    metrics = Metrics(settings.run_figures)
    shared = shared or Shared()
    clients = Clients(settings.proxies, settings.exempt, settings.client_limits, shared.counts)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as opened:
            await _open(
                app,
                opened,
                settings=settings,
                database_url=database_url,
                clock=clock,
                places=Places(shared.places),
            )
            yield
        metrics.add_tallies()

    app = FastAPI(
        title="OneLot",
        version="1",
        description=DESCRIPTION,
        openapi_tags=TAGS,
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=operation_id,
        dependencies=[Depends(refuse_odd_queries)],
    )
    for routes in ROUTES:
        app.include_router(routes.router)
    add_handlers(app)
    app.add_middleware(Options, routes=app.routes)
    if settings.metrics_port is not None:
        app.add_middleware(MetricsApart, port=settings.metrics_port)
    app.add_middleware(PerClient, clients=clients)
    app.add_middleware(Observing, metrics=metrics, logs_each=settings.access_log)
    app.add_middleware(PublicReads)
    app.add_middleware(UnreadBodies)
    app.state.hot_routes = HotRoutes(
        _hot_routes(app), metrics, clients, logs_each=settings.access_log
    )
    app.state.clients = clients
    app.state.metrics = metrics
    app.state.pages = Pages()
    app.state.web = settings.web
    app.state.key_lifetime = settings.key_lifetime
    app.state.signer = Signer(settings.token_secret.get_secret_value().encode())
    serve_openapi(app)
    return app


async def _open(
    app: FastAPI,
    opened: AsyncExitStack,
    *,
    settings: ApiSettings,
    database_url: str,
    clock: Callable[[], datetime],
    places: Places,
) -> None:
    """Open what the application keeps in its state, begin its jobs, and try to read the city."""
    database = await opened.enter_async_context(
        _database(settings, database_url, settings.pool_size)
    )
    metrics: Metrics = app.state.metrics
    office_url, office = settings.office_url(database_url), None
    if office_url is not None:
        # Nobody's gateways are seen before it is said whose: `Sight.connection`.
        office = await opened.enter_async_context(
            _database(settings, office_url, settings.office_pool_size, operator="")
        )
    interval_s = settings.reload_interval_s
    prices, logins = FollowedPrices(database), FollowedLogins(database)
    city, names = FollowedCity(database), FollowedNames(database)
    app.state.hour = hour = Hour()
    pushes = Pushes(settings.pusher, places)
    app.state.resources = Resources(
        database,
        metrics,
        clock,
        (city.reading, prices.reading, names.reading, logins.reading),
    )
    app.state.office = office and replace(app.state.resources, database=office)
    channels: dict[str, list[Callable[[str], None]]] = {
        "tariffs": [lambda _: prices.changed.set()],
        "registration": [city.note_change, names.note_change],
        "logins": [lambda _: logins.changed.set()],
    }
    jobs: list[AbstractAsyncContextManager[object]] = []
    if office is not None:
        moves = LotMoves(office, clock)
        recoveries = Recoveries(office, metrics.note_recoveries)
        channels["tariffs"].append(lambda _: moves.changed.set())
        channels["recovery"] = [lambda _: recoveries.changed.set()]
        jobs = [moving_lots(moves, interval_s), watching(recoveries, interval_s)]
    pools = [each.pool for each in (database, office) if each is not None]
    jobs += [
        followed_prices(prices, interval_s),
        followed_city(city, interval_s, settings.mqtt_url, settings.mqtt_ca),
        followed_names(names, interval_s),
        followed_logins(logins, interval_s),
        kept_hour(hour, city, database, metrics, clock),
        pushing(pushes, settings.push_url, settings.mqtt_ca),
    ]
    app.state.note_process = note = partial(_note_process, metrics, pools, city)
    for job in (listening(database_url, database, channels, note), *jobs):
        await opened.enter_async_context(job)
    app.state.city, app.state.prices, app.state.names = city, prices, names
    app.state.logins, app.state.pushes = logins, pushes
    app.state.answers = Writer(city, prices)
    app.state.bay_answers = BayWriter(city)
    app.state.maps = Maps(city)
    app.state.changes = Changes(
        city,
        clock,
        settings.most_readers,
        settings.client_readers,
        metrics.note_readers,
    )
    # Together: while the database works for one, another's rows are taken in.
    readings = app.state.resources.readings
    await asyncio.gather(*(reading.first_try() for reading in readings))


@asynccontextmanager
async def _database(
    settings: ApiSettings, url: str, size: int, operator: str = EVERYBODY
) -> AsyncIterator[Database]:
    """Open a part's pool of connections; it starts without a database."""
    pool = create_pool(
        url,
        application="onelot-api",
        min_size=0,
        max_size=size,
        command_timeout_s=settings.query_timeout_s,
        statement_timeout_s=settings.read_timeout_s,
        operator=operator,
    )
    async with pool:
        yield Database(pool, settings.acquire_timeout_s)


def _note_process(metrics: Metrics, pools: Sequence[Pool], city: FollowedCity) -> None:
    size, idle = sum(pool.get_size() for pool in pools), sum(pool.get_idle_size() for pool in pools)
    metrics.note_process(size, idle, city.differences)


def _hot_routes(app: FastAPI) -> dict[str, HotRoute]:
    def answering(
        writer: str,
    ) -> Callable[[NearestLotsAsk | NearestSpacesAsk], bytes | None]:
        def answer(ask: NearestLotsAsk | NearestSpacesAsk) -> bytes | None:
            deps = app.state.resources
            if ask.source != "memory" or not deps.has_city:
                return None
            answers = getattr(app.state, writer)
            body: bytes = answers.nearest(ask, deps.clock(), degraded=deps.database.is_away)
            return body

        return answer

    return {
        "/v1/nearest": HotRoute(NearestLotsAsk, answering("answers")),
        "/v1/spaces/nearest": HotRoute(NearestSpacesAsk, answering("bay_answers")),
    }
