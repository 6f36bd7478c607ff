"""Events that draw a crowd: who comes by car, where they park, when they leave. No clock.

The shares and times are assumptions of ours: no data that the project has speaks of them.
"""

import csv
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from simulators.demand.levels import keys
from simulators.demand.near import metres_from
from simulators.registry import Lot, RegistryError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# A third comes by car, and a car brings two or three.
CARS_PER_PERSON: Final = 0.35 / 2.5
MOST_PEOPLE: Final = 200_000
# Cars come around 50 minutes before the beginning, nobody after it; the event lasts two hours, and
# all leave within the half hour after, as the roads let them.
_EARLY_S, _EARLY_SD_S = 50 * 60.0, 20 * 60.0
_LASTS_S: Final = 2 * 3_600.0
_LEAVING_S: Final = 30 * 60.0
# Whom a walk of 400 m costs a third of its lots' charm; nobody walks further than 1.5 km.
_WALK_M: Final = 400.0
FARTHEST_M: Final = 1_500.0


@dataclass(frozen=True, slots=True)
class Event:
    """A crowd at one place.

    Attributes:
        name: of the place.
        longitude: degrees, WGS 84.
        latitude: degrees, WGS 84.
        begins_s: Unix seconds.
        people: how many come, by whatever means.
    """

    name: str
    longitude: float
    latitude: float
    begins_s: float
    people: int


@dataclass(frozen=True, slots=True)
class Guests:
    """Drivers who come to events, by time of arrival; arrays of shape (drivers,).

    Attributes:
        comes_s: Unix seconds, ascending.
        leaves_s: Unix seconds.
        lots: the lot that each wants.
    """

    comes_s: FloatArray
    leaves_s: FloatArray
    lots: IntArray

    def between(self, from_s: float, to_s: float) -> tuple[IntArray, FloatArray]:
        """Return the lots and leaving times of those who come from an instant to before another."""
        first, last = np.searchsorted(self.comes_s, (from_s, to_s))
        return self.lots[first:last], self.leaves_s[first:last]


def guests_of(events: Sequence[Event], lots: Sequence[Lot], seed: int) -> Guests:
    """Return the drivers of all events: functions of the seed and each event alone.

    Raises:
        RegistryError: no lot lies within FARTHEST_M of an event.
    """
    found = [_guests(event, lots, seed) for event in events]
    comes = np.concatenate([each[0] for each in found] or [np.empty(0)])
    leaves = np.concatenate([each[1] for each in found] or [np.empty(0)])
    wanted = np.concatenate([each[2] for each in found] or [np.empty(0, np.int64)])
    order = np.argsort(comes, kind="stable")
    return Guests(comes[order], leaves[order], wanted[order])


def _guests(
    event: Event, lots: Sequence[Lot], seed: int
) -> tuple[FloatArray, FloatArray, IntArray]:
    apart_m = metres_from(event.longitude, event.latitude, lots)
    within = np.flatnonzero(apart_m <= FARTHEST_M)
    if not len(within):
        raise RegistryError(f"event at {event.name}: no lot within {FARTHEST_M:.0f} m")
    capacity = np.array([lots[lot].capacity for lot in within.tolist()])
    weights = capacity * np.exp(-apart_m[within] / _WALK_M)
    name = f"{event.name} {event.begins_s} {event.people}"
    rng = np.random.default_rng(keys(seed, "event", [name]))
    cars = rng.poisson(event.people * CARS_PER_PERSON)
    early_s = np.abs(rng.normal(_EARLY_S, _EARLY_SD_S, cars))
    leaves_s = event.begins_s + _LASTS_S + rng.uniform(0.0, _LEAVING_S, cars)
    wanted = rng.choice(within, cars, p=weights / weights.sum())
    return event.begins_s - early_s, leaves_s, wanted


def read_places(path: Path) -> dict[str, tuple[float, float]]:
    """Return longitude and latitude of each place by its id and its names.

    Raises:
        RegistryError: the file cannot be read, or a row lacks a column or has a bad number.
    """
    places: dict[str, tuple[float, float]] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                point = float(row["longitude"]), float(row["latitude"])
                places |= dict.fromkeys((row["place_id"], row["name_zh"], row["name_en"]), point)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RegistryError(f"{path}: {error!r}") from error
    return places


def read_event(text: str, places: Mapping[str, tuple[float, float]], zone: ZoneInfo) -> Event:
    """Read `PLACE,TIME,PEOPLE`: a place by id or name, a local time, a number of people.

    Raises:
        RegistryError: it is no event; the message names the part that is wrong.
    """
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 3:  # noqa: PLR2004 - place, time, people
        raise RegistryError(f"event {text!r}: give PLACE,TIME,PEOPLE")
    name, time, people = parts
    if name not in places:
        like = difflib.get_close_matches(name, places, 3)
        hint = f"; did you mean {' or '.join(like)}?" if like else ""
        raise RegistryError(f"event {text!r}: no place {name!r} in places.csv{hint}")
    try:
        begins = datetime.fromisoformat(time)
    except ValueError:
        raise RegistryError(
            f"event {text!r}: {time!r} is no time such as 2026-12-31T19:30"
        ) from None
    if not (people.isascii() and people.isdigit() and 1 <= int(people) <= MOST_PEOPLE):
        raise RegistryError(
            f"event {text!r}: {people!r} is no number of people, 1 to {MOST_PEOPLE}"
        )
    begins = begins if begins.tzinfo else begins.replace(tzinfo=zone)
    return Event(name, *places[name], begins.timestamp(), int(people))
