"""What lives as long as the application does."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from parking_api.city.memory import City
from parking_api.database import Database
from parking_api.metrics import Metrics
from parking_api.people.tokens import Signer
from parking_api.quotes.following import FollowedPrices


@dataclass(frozen=True)
class Resources:
    """Opened by the lifespan, closed with it."""

    database: Database
    city: City
    prices: FollowedPrices
    metrics: Metrics
    clock: Callable[[], datetime]
    signer: Signer


# Asynchronous, as every dependency here: FastAPI sends others through a pool of threads.
async def _resources(request: Request) -> Resources:
    resources: Resources = request.app.state.resources
    return resources


Held = Annotated[Resources, Depends(_resources)]
