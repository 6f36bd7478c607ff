"""The resources that every domain needs: database, clock, figures; and whether there is a city.

What one domain keeps in memory it gives itself: `CityCopy`, `CurrentPrices`, `TokenSigner`.

The API has two parts, each with a role of its own in the database. The public part answers anyone,
and reads. The office answers whoever shows a key, a token or a code, and writes. One process may be
both: then each request gets the database of its part.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.security import HTTPBearer

from parking_api.background import Reading
from parking_api.database import Database
from parking_api.errors import CityLoadingError, MisdirectedError
from parking_api.metrics import Metrics
from parking_api.workflow import Act, Actor, acting


@dataclass(frozen=True)
class Resources:
    """The application's resources; its lifespan opens and closes them.

    Attributes:
        database: Where everything is.
        metrics: The figures of this process.
        clock: What time it is, aware.
        readings: What is to be read before questions can be answered: city, tariffs, logins.
    """

    database: Database
    metrics: Metrics
    clock: Callable[[], datetime]
    readings: Sequence[Reading]

    @property
    def has_city(self) -> bool:
        """Whether this process can answer questions: all `readings` are done once."""
        return all(reading.is_done for reading in self.readings)

    @asynccontextmanager
    async def act(self, actor: Actor, reason: str | None) -> AsyncIterator[Act]:
        """Begin an act of a person: see `acting`.

        Raises:
            DatabaseAwayError: The database is away, also at the end.
        """
        async with (
            self.database.job() as db,
            acting(db, actor.person_id, self.clock(), reason, actor.roles) as act,
        ):
            yield act

    async def until_loaded(self) -> None:
        """Wait until all `readings` are done."""
        for reading in self.readings:
            await reading.done()


# Asynchronous, like every dependency here: FastAPI runs others in threads.
async def resources_of(request: Request) -> Resources:
    """Return the resources for answering a request.

    Raises:
        CityLoadingError: There is no city yet.
        MisdirectedError: It is for the office, which this process is not.
    """
    return await office_of(request) if _is_for_office(request) else _loaded(request, "resources")


async def office_of(request: Request) -> Resources:
    """Return the office's resources.

    Raises:
        CityLoadingError: There is no city yet.
        MisdirectedError: This process is the public part alone.
    """
    if request.app.state.office is None:
        raise MisdirectedError
    return _loaded(request, "office")


def _loaded(request: Request, part: str) -> Resources:
    resources: Resources = getattr(request.app.state, part)
    if not resources.has_city:
        raise CityLoadingError
    return resources


def _is_for_office(request: Request) -> bool:
    """Whether a request writes, or shows who is asking where that matters."""
    if not takes_login(request.scope["route"].dependant):
        return False
    return request.method not in ("GET", "HEAD") or shows_login(
        request.headers.get("authorization", "")
    )


def shows_login(authorization: str) -> bool:
    """Whether a header `Authorization` holds a key or a token of a person."""
    return authorization.partition(" ")[0].lower() == "bearer"


def takes_login(dependant: Dependant) -> bool:
    """Whether a route with these dependencies looks at keys and tokens."""
    return any(
        isinstance(each.call, HTTPBearer) or takes_login(each) for each in dependant.dependencies
    )


async def _whatever_is_there(request: Request) -> Resources:
    resources: Resources = request.app.state.resources
    return resources


Deps = Annotated[Resources, Depends(resources_of)]
# For operations, also while the city is not loaded.
EarlyDeps = Annotated[Resources, Depends(_whatever_is_there)]
