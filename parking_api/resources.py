"""The resources that every domain needs: database, clock, figures; and whether there is a city.

What one domain keeps in memory it gives itself: `CityCopy`, `CurrentPrices`, `TokenSigner`.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from parking_api.background import Reading
from parking_api.database import Database
from parking_api.errors import CityLoadingError
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
    """
    resources: Resources = request.app.state.resources
    if not resources.has_city:
        raise CityLoadingError
    return resources


async def _whatever_is_there(request: Request) -> Resources:
    resources: Resources = request.app.state.resources
    return resources


Deps = Annotated[Resources, Depends(resources_of)]
# For operations, also while the city is not loaded.
EarlyDeps = Annotated[Resources, Depends(_whatever_is_there)]
