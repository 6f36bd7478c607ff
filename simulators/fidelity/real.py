"""Figures of real lots: those that the project has, or those of a folder of full files.

`data/real.json` beside this file holds what `measure` makes of the files that it names, with their
licences; so the report needs no folder.
"""

from collections.abc import Sequence
from pathlib import Path, PurePath

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulators.demand.parameters import LandUseName, Source
from simulators.fidelity.statistics import (
    DAY_S,
    HOUR_S,
    OccupancyRows,
    hourly_means,
    ks_distance,
    occupancy_rows,
)
from simulators.fitting.mixtures import Sample, leave_one_out
from simulators.fitting.occupancy import together
from simulators.fitting.reading import Facts
from simulators.fitting.shapes import kind_of
from simulators.fitting.stays import StayLot

FloatArray = NDArray[np.float64]

FILE = Path(__file__).parent / "data" / "real.json"
QUARTER_S = 900
# Stays of a lot are kept as so many quantiles, in the middles of equal shares.
QUANTILES = 400
# Two sets that the project has no files of: figures by others, measured in the same way.
TOLD = {
    "Birmingham, 26 lots": OccupancyRows(0.073, 0.032, 0.24, 0.69, 0.90, 0.59, 0.020, 0.17),
    "German towns, 77 lots": OccupancyRows(0.094, 0.022, 0.13, 0.52, 0.73, 0.32, 0.006, 0.14),
}


class Centre(msgspec.Struct, frozen=True):
    """Car parks of a centre from Monday to Friday: means by hour over them, and their band.

    Attributes:
        mean: of the lots' means; 24 hours.
        low: 10th percentile of the lots' means.
        high: 90th percentile.
    """

    mean: list[float]
    low: list[float]
    high: list[float]


class Stays(msgspec.Struct, frozen=True):
    """The stays of one lot.

    Attributes:
        lot: its file.
        land_use: of the lot.
        minutes: QUANTILES quantiles.
        hours: mean occupancy by hour from Monday to Friday, over the highest of them.
        night: mean at 02 to 05 h over that highest.
        sunday: highest of a Sunday's hours over that highest.
        left_out: distance to what is fitted to the other lots of its use; None if there is none.
    """

    lot: str
    land_use: LandUseName
    minutes: list[float]
    hours: list[float]
    night: float
    sunday: float
    left_out: float | None


class Real(msgspec.Struct, frozen=True):
    """What is known of real lots.

    Attributes:
        sources: whose it is.
        rows: figures of occupancy by set.
        centre: of the first file of occupancy; None if there is none.
        stays: by lot.
        apart: largest distance between the stays of two lots, by land use.
    """

    sources: list[Source]
    rows: dict[str, OccupancyRows]
    centre: Centre | None
    stays: list[Stays]
    apart: dict[LandUseName, float]


def load(path: Path = FILE) -> Real:
    """Read figures of real lots.

    Raises:
        OSError: the file cannot be read.
        ValueError: it holds no such figures.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Real)
    except msgspec.DecodeError as error:
        raise ValueError(f"{path}: {error}") from error


def dump(real: Real) -> bytes:
    """Return the figures as they are kept."""
    return msgspec.json.encode(real) + b"\n"


def measure(facts: Facts) -> Real:
    """Return the figures of a folder's files; those of the sets in TOLD beside them."""
    rows = dict(TOLD)
    centre = None
    for occupancy in map(together, facts.occupancy):
        name = f"{PurePath(occupancy.file).name}, {len(occupancy.lots)} lots"
        found = occupancy_rows(occupancy.shares, occupancy.start_s, QUARTER_S)
        rows[name] = OccupancyRows(*(round(value, 4) for value in found))
        if centre is None:
            centre = _centre(hourly_means(occupancy.shares, occupancy.start_s, QUARTER_S))
    by_use: dict[LandUseName, list[StayLot]] = {}
    for lot in facts.stays:
        by_use.setdefault(lot.land_use, []).append(lot)
    stays = [one for lots in by_use.values() for one in _stays(lots)]
    apart = {use: _apart(lots) for use, lots in by_use.items() if len(lots) > 1}
    return Real(facts.sources, rows, centre, stays, apart)


def week_occupancy(lot: StayLot) -> FloatArray:
    """Return how many were in a lot by kind of day and quarter of an hour; shape (3, 96).

    Means over the recorded days of each kind.
    """
    per_day = DAY_S // QUARTER_S
    first = int(lot.days[0])
    quarters = (int(lot.days[-1]) + 1 - first) * per_day
    change = np.zeros(quarters + 1)
    since = (lot.arrivals_s - first * DAY_S) / QUARTER_S
    np.add.at(change, np.clip(since, 0, quarters).astype(np.int64), 1)
    ends = np.clip(since + lot.minutes * 60 / QUARTER_S, 0, quarters)
    np.add.at(change, ends.astype(np.int64), -1)
    days = change.cumsum()[:-1].reshape(-1, per_day)[lot.days - first]
    kinds = kind_of(lot.days)
    return np.array([days[kinds == kind].mean(axis=0) for kind in range(3)])


def _centre(lots: FloatArray) -> Centre:
    low, high = np.nanpercentile(lots, (10, 90), axis=0)
    return Centre(*(_rounded(each) for each in (np.nanmean(lots, axis=0), low, high)))


def _stays(lots: Sequence[StayLot]) -> list[Stays]:
    samples = [Sample(lot.hours, lot.minutes) for lot in lots]
    left_out = leave_one_out(samples) if len(lots) > 1 else [None]
    return [_lot_stays(lot, far) for lot, far in zip(lots, left_out, strict=True)]


def _lot_stays(lot: StayLot, left_out: float | None) -> Stays:
    shares = (np.arange(QUANTILES) + 0.5) / QUANTILES
    minutes = np.quantile(lot.minutes, shares, method="inverted_cdf")
    workday, _, sunday = week_occupancy(lot).reshape(3, 24, HOUR_S // QUARTER_S).mean(axis=2)
    most = workday.max()
    return Stays(
        PurePath(lot.file).name,
        lot.land_use,
        minutes.tolist(),
        _rounded(workday / most),
        round(float(workday[2:5].mean() / most), 4),
        round(float(sunday.max() / most), 4),
        None if left_out is None else round(left_out, 4),
    )


def _apart(lots: Sequence[StayLot]) -> float:
    return max(
        round(ks_distance(one.minutes, other.minutes), 4)
        for number, one in enumerate(lots)
        for other in lots[:number]
    )


def _rounded(values: FloatArray) -> list[float]:
    return [round(float(value), 4) for value in values]
