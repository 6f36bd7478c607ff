"""Keeps what maps draw until the registration changes."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Generic, TypeVar

from fastapi import Depends, Request

from parking_api import worker
from parking_api.city.memory import City
from parking_api.coordinates import Crs
from parking_api.maps import writing
from parking_api.models import GEO_JSON
from parking_api.public_reads import KeptAnswer
from parking_api.resources import Deps

Part = TypeVar("Part")


class Written(Generic[Part]):
    """One document of a city, written when it is first asked for after each registration.

    Args:
        city: Whose.
        part: What of it the document is about.
        write: Writes the document, in a system of coordinates.
        media_type: Of the document.
    """

    def __init__(
        self,
        city: City,
        part: Callable[[City], Part],
        write: Callable[[Part, Crs], bytes],
        media_type: str,
    ) -> None:
        self._city = city
        self._part = part
        self._write = write
        self._media_type = media_type
        self._registration = -1
        self._kept: dict[Crs, KeptAnswer] = {}
        self._one_writer = asyncio.Lock()

    async def get(self, crs: Crs) -> KeptAnswer:
        """Return the present document, in a system of coordinates.

        Raises:
            BusyError: It has to be written, and too much is waiting already.
        """
        async with self._one_writer:
            if self._city.registration != self._registration:
                self._registration, self._kept = self._city.registration, {}
            if crs not in self._kept:
                self._kept[crs] = await worker.off_loop(self._made, self._part(self._city), crs)
            return self._kept[crs]

    def _made(self, part: Part, crs: Crs) -> KeptAnswer:
        return KeptAnswer(self._write(part, crs), self._media_type)


class Maps:
    """What maps draw of a city."""

    def __init__(self, city: City) -> None:
        self.lots = Written(city, lambda one: one.table, writing.lot_columns, "application/json")
        self.districts = Written(
            city, lambda one: one.districts, writing.district_outlines, GEO_JSON
        )


async def _maps(request: Request, _: Deps) -> Maps:
    maps: Maps = request.app.state.maps
    return maps


CityMaps = Annotated[Maps, Depends(_maps)]
