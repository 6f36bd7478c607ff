"""Where drivers are, second by second: a morning's demand, the end of a match. No I/O."""

from collections.abc import Sequence
from datetime import datetime
from math import exp
from typing import Final

import numpy as np

from load_tests.catalogue import Lot, draws
from load_tests.plan import Rows
from simulators import registry
from simulators.demand.calendar import Calendar
from simulators.demand.parameters import load
from simulators.demand.rates import Rates

# A driver on the road asks every five minutes.
QUESTIONS_PER_HOUR: Final = 12.0
# So often on the way to a lot: a quarter of an hour.
QUESTIONS_PER_ARRIVAL: Final = QUESTIONS_PER_HOUR / 4
# A Tuesday, from six to ten.
_MORNING: Final = datetime.fromisoformat("2026-11-24T06:00:00+08:00")
_MORNING_S: Final = 4 * 3600.0
_UTC_OFFSET_S: Final = 8 * 3600
# The match ends after a fifth of the scenario; all go on asking for a third, then ever fewer.
_ENDS_AT, _LASTS, _FADES = 0.2, 0.33, 0.15


def morning(lots: Sequence[Lot], seconds: int, seed: int) -> tuple[Rows, Rows]:
    """Return arrivals and departures per second at each lot, for each second of the scenario.

    The scenario runs through the morning's four hours at a higher speed; each of its seconds has
    the rates of its hour, not more. Departures = arrivals - growth of the expected number present.
    """
    start_s, step_s = _MORNING.timestamp(), _MORNING_S / seconds
    rates = Rates(
        [_registered(lot) for lot in lots],
        load(),
        Calendar(seed),
        seed=seed,
        utc_offset_s=_UTC_OFFSET_S,
    )
    instants = [start_s + second * step_s for second in range(seconds + 1)]
    arrivals = [rates.arrivals(at_s) for at_s in instants]
    present = [rates.present(at_s) for at_s in instants]
    came = np.array(arrivals[:-1])
    left = np.maximum(came - np.diff(present, axis=0) / step_s, 0.0)
    return _rows(came), _rows(left)


def match(lots: Sequence[Lot], seconds: int, everyday_per_s: float, crowd_per_s: float) -> Rows:
    """Return questions per second near each lot: everyone's, and those of a crowd at one place.

    The place is the largest lot where sights are, or else the largest.

    Args:
        lots: At least one.
        seconds: Of the scenario.
        everyday_per_s: Everyone's rate.
        crowd_per_s: The crowd's, at its most.
    """
    weights = np.array(draws(lots))
    everyday = everyday_per_s * weights / weights.sum()
    stadium = max(
        range(len(lots)), key=lambda at: (lots[at].land_use == "scenic", lots[at].capacity)
    )
    rows = np.tile(everyday, (seconds, 1))
    for second in range(seconds):
        since = second / seconds - _ENDS_AT
        if since >= 0:
            rows[second, stadium] += crowd_per_s * exp(-max(since - _LASTS, 0.0) / _FADES)
    return _rows(rows)


def _registered(lot: Lot) -> registry.Lot:
    return registry.Lot(
        lot.lot_id, "", lot.lot_type, lot.land_use, lot.reporting, 60, max(lot.capacity, 1)
    )


def _rows(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Rows:
    return tuple(map(tuple, values.round(6).tolist()))
