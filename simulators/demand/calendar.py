"""What kind of day it is, and how seasons, holidays, school terms and rain move demand. No I/O.

No data that the project has speaks of these effects: the factors are assumptions of ours for
Qingdao, each beside its reason. Holidays and make-up workdays are the State Council's.
"""

from datetime import date
from statistics import NormalDist
from typing import Final, Literal

import numpy as np

from simulators.city.holidays import MAKEUP_WORKDAYS, holidays
from simulators.demand.levels import day_levels, keys

DayKind = Literal["workday", "saturday", "sunday"]

_EPOCH: Final = date(1970, 1, 1).toordinal()
# Holidays of every year on the same day, month and day; all others go by the moon or by notice.
EVERY_YEAR: Final = ((1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3))
_SATURDAY, _SUNDAY = 5, 6
_MIDDLE_DAY: Final = 15
_MONTH_DAYS: Final = 30.4

# By month, linear between their middles; January first. Beaches and sights of the coast are full
# in July and August and empty in winter; hotels follow them; trains carry students and families
# in the summer and before the Spring Festival.
SEASONS: Final[dict[str, tuple[float, ...]]] = {
    "scenic": (0.55, 0.60, 0.75, 0.95, 1.10, 1.15, 1.50, 1.60, 1.10, 1.05, 0.75, 0.60),
    "hotel": (0.85, 0.85, 0.90, 0.95, 1.05, 1.05, 1.25, 1.30, 1.05, 1.00, 0.90, 0.85),
    "station": (1.05, 1.05, 0.95, 0.95, 1.00, 0.95, 1.10, 1.10, 0.95, 1.00, 0.95, 0.95),
}
# On public holidays, against a Sunday. Sights, hotels, stations and malls have more; who works or
# sees a doctor by appointment does not come.
HOLIDAYS: Final[dict[str, float]] = {
    "scenic": 1.6, "hotel": 1.25, "station": 1.3, "mall": 1.1, "street": 0.95, "housing": 0.9,
    "market": 0.9, "hospital": 0.7, "office": 0.5, "industrial": 0.5,
}  # fmt: skip
# On a day of rain. Nobody goes to the beach; some shop under a roof instead.
RAIN: Final[dict[str, float]] = {
    "scenic": 0.6, "market": 0.9, "street": 0.92, "hospital": 0.93, "mall": 1.06, "station": 1.04,
}  # fmt: skip
# Days of rain in a month: dry winters, a monsoon in July and August.
RAIN_DAYS: Final = (3.5, 4.0, 4.5, 6.0, 7.0, 8.5, 12.0, 11.0, 7.5, 6.0, 5.5, 4.5)
# A wet day is followed by another one more often than chance would have it.
_RAIN_MEMORY: Final = 0.4
# First and last days without school, month and day: winter and summer holidays of Shandong.
NO_SCHOOL: Final = (((1, 24), (2, 23)), ((7, 8), (8, 31)))
# Of a school's drivers on days without school: staff, and those who live near.
OUT_OF_TERM: Final = 0.2


class Calendar:
    """The days of the city.

    Args:
        seed: of the weather.
    """

    def __init__(self, seed: int) -> None:
        self._holidays = frozenset(holidays())
        self._years = {day.year for day in self._holidays}
        self._makeup_workdays = frozenset(map(date.fromisoformat, MAKEUP_WORKDAYS))
        self._weather = keys(seed, "rain", ("",))

    def is_holiday(self, day: int) -> bool:
        """Return whether a day, counted since 1970-01-01, is a public holiday.

        Of years without a notice, those days that are holidays in every year.
        """
        of = _date(day)
        if of.year in self._years:
            return of in self._holidays
        return (of.month, of.day) in EVERY_YEAR

    def kind(self, day: int) -> DayKind:
        """Return whose arrivals a day has. Holidays are Sundays; make-up workdays are workdays."""
        of = _date(day)
        if of in self._makeup_workdays:
            return "workday"
        if self.is_holiday(day) or of.weekday() == _SUNDAY:
            return "sunday"
        return "saturday" if of.weekday() == _SATURDAY else "workday"

    def rains(self, day: int) -> bool:
        """Return whether it rains on a day: a function of the seed and the day."""
        share = RAIN_DAYS[_date(day).month - 1] / _MONTH_DAYS
        level = day_levels(self._weather, day, np.ones(1), np.full(1, _RAIN_MEMORY))[0]
        return bool(level > NormalDist().inv_cdf(1 - share))

    def has_school(self, day: int) -> bool:
        """Return whether pupils come on a day."""
        of = _date(day)
        term = not any(first <= (of.month, of.day) <= last for first, last in NO_SCHOOL)
        return term and self.kind(day) == "workday"

    def factor(self, use: str, day: int) -> float:
        """Return by how much a land use has more arrivals on a day than one of its kind."""
        factor = _season(use, _date(day))
        if self.is_holiday(day):
            factor *= HOLIDAYS.get(use, 1.0)
        if self.rains(day):
            factor *= RAIN.get(use, 1.0)
        if use == "school" and not self.has_school(day) and self.kind(day) == "workday":
            factor *= OUT_OF_TERM
        return factor


def _date(day: int) -> date:
    return date.fromordinal(_EPOCH + day)


def _season(use: str, of: date) -> float:
    months = SEASONS.get(use)
    if months is None:
        return 1.0
    at = of.month - 1 + (of.day - _MIDDLE_DAY) / _MONTH_DAYS
    return float(np.interp(at, np.arange(12), months, period=12))
