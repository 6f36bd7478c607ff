"""What lives as long as the application does."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from parking_api.database import Database
from parking_api.errors import CityLoadingError
from parking_api.lots.following import FollowedCity
from parking_api.metrics import Metrics
from parking_api.people.tokens import Signer
from parking_api.quotes.following import FollowedPrices
from parking_api.workflow import Act, acting


@dataclass(frozen=True)
class Resources:
    """Opened by the lifespan, closed with it."""

    database: Database
    city: FollowedCity
    prices: FollowedPrices
    metrics: Metrics
    clock: Callable[[], datetime]
    signer: Signer

    @property
    def has_city(self) -> bool:
        """Whether this process can answer questions: city and tariffs have been read once."""
        return self.city.is_loaded and self.prices.is_loaded

    @asynccontextmanager
    async def act(self, person_id: str, reason: str | None) -> AsyncIterator[Act]:
        """Begin what a person does: see `acting`.

        Raises:
            DatabaseAwayError: The database is away, also at the end.
        """
        async with (
            self.database.connection() as db,
            acting(db, person_id, self.clock(), reason) as act,
        ):
            yield act

    async def until_loaded(self) -> None:
        """Wait until this process can answer questions."""
        await self.city.reading.done()
        await self.prices.reading.done()


def resources_of(request: Request) -> Resources:
    """Find the resources that a request is answered with.

    Raises:
        CityLoadingError: There is no city yet.
    """
    resources: Resources = request.app.state.resources
    if not resources.has_city:
        raise CityLoadingError
    return resources


# Asynchronous, as every dependency here: FastAPI sends others through a pool of threads.
async def _resources(request: Request) -> Resources:
    return resources_of(request)


async def _whatever_is_there(request: Request) -> Resources:
    resources: Resources = request.app.state.resources
    return resources


Deps = Annotated[Resources, Depends(_resources)]
# For operations, who ask how the process itself is.
EarlyDeps = Annotated[Resources, Depends(_whatever_is_there)]
