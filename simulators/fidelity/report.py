"""The report: pictures of the simulated city beside real lots, and a table of what holds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import matplotlib as mpl

mpl.use("Agg")

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from simulators.demand.parameters import LAND_USES, LandUseName, Parameters
from simulators.fidelity.bars import Bar
from simulators.fidelity.real import QUANTILES, Real
from simulators.fidelity.simulated import BAYS, CENTRAL_M, FIRST_DAY, Simulated, draw_stays
from simulators.fidelity.statistics import QUARTER_S, daily_means, hourly_means
from simulators.sensors import scoring
from simulators.sensors.profiles import PROFILES

TABLE: Final = "fidelity.md"
_HOURS: Final = np.arange(24)
_NOT_VALIDATED: Final = """\
## What is not validated

- Parking on the street: no data of it.
- Qingdao itself: all real occupancy is of Europe, all real stays are of lots whose city their
  publisher does not tell. Seasons, holidays, rain, events and prices are assumptions.
- Hospitals, schools, sights, stations and streets: their hours and stays are assumptions.
- Housing and industry: one lot each, so in-sample only. Offices: their hours are fitted to public
  car parks, their stays are an assumption.
- Birmingham and the German towns: their figures were told, and are not measured again here.
"""


def write_report(
    directory: Path,
    city: Simulated,
    parameters: Parameters,
    real: Real,
    bars: Sequence[Bar],
    *,
    scores: Sequence[scoring.Score],
) -> None:
    """Write the pictures and the table into a folder, which is made if it is missing.

    Raises:
        OSError: a file cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    _draw_city(directory / "city.png", city, real)
    for use in LAND_USES:
        _draw_use(directory / f"{use}.png", use, city, parameters, real)
    text = table(bars, real, city, scores)
    (directory / TABLE).write_text(text, encoding="utf-8")


def table(bars: Sequence[Bar], real: Real, city: Simulated, scores: Sequence[scoring.Score]) -> str:
    """Return the report's text, Markdown."""
    what = (
        f"Six weeks from {FIRST_DAY:%Y-%m-%d}, {len(city.lots)} lots. The city's rows are of the "
        f"{city.like_real().sum()} lots of {BAYS[0]} to {BAYS[1]} bays at malls, markets, offices "
        f"and hotels; the centre's of the {city.central().sum()} such lots of any size within "
        f"{CENTRAL_M / 1000:.0f} km of its middle."
    )
    sets = (
        f"Real sets of the city's rows, in this order: {'; '.join(real.rows)}. Each row may lie "
        "a fifth beyond the least and the most of them."
    )
    lines = [
        "# The simulated city beside real ones",
        "",
        what,
        "",
        sets,
        "",
        "| part | figure | simulated | real | asked | holds |",
        "|---|---|---|---|---|---|",
        *(
            f"| {bar.part} | {bar.name} | {bar.simulated:.3g} | {bar.real} | {bar.asked} |"
            f" {'yes' if bar.holds else '**no**'} |"
            for bar in bars
        ),
        "",
        "## What the platform shows, against what is true",
        "",
        _sensors(scores),
        "",
        _NOT_VALIDATED,
        "## Sources",
        "",
        *(f"- {one.name}, {one.licence}: {one.what}. {one.url}" for one in real.sources),
        "",
        "Pictures: city.png, and one of each land use.",
        "",
    ]
    return "\n".join(lines)


def _sensors(scores: Sequence[scoring.Score]) -> str:
    """Return the scores of the profiles of faults."""
    if not scores:
        return "Not measured: `make sensors` does so, and the report then has it."
    about = (
        f"A real platform over small cities of {scores[0].lots} lots, by profile of sensors' faults"
        f", at {scores[0].speed:g} times the drivers' speed (`make sensors`). What `clean` shows is"
        " the time that reports take. Clocks and connections fail by gateway, of which such a city"
        " has a few: whether one does within the run is chance."
    )
    missing = [name for name in PROFILES if name not in {one.profile for one in scores}]
    if missing:
        about += f" Not scored: {', '.join(missing)}."
    return f"{about}\n\n{scoring.table(scores)}"


def _draw_city(path: Path, city: Simulated, real: Real) -> None:
    figure, (hours, days) = plt.subplots(1, 2, figsize=(12, 4.5))
    lots = city.shares[city.central()]
    if len(lots):
        _draw_hours(hours, hourly_means(lots, city.start_s, QUARTER_S), "simulated")
    if real.centre:
        hours.plot(_HOURS, real.centre.mean, "k-", label="real: mean of lots")
        hours.plot(_HOURS, real.centre.low, "k:", label="real: 10 and 90 %")
        hours.plot(_HOURS, real.centre.high, "k:")
    _finish(hours, "centre, Monday to Friday", "hour", "occupied share")
    lots = city.shares[city.like_real()]
    if len(lots):
        means, _ = daily_means(lots, city.start_s)
        days.plot(means.mean(axis=0), label="mean of all lots")
        for lot in means[:: max(len(means) // 6, 1)][:6]:
            days.plot(lot, linewidth=0.7, color="0.6")
    _finish(days, "daily means, simulated; grey: single lots", "day", "occupied share")
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _draw_use(
    path: Path, use: LandUseName, city: Simulated, parameters: Parameters, real: Real
) -> None:
    figure, (hours, stays) = plt.subplots(1, 2, figsize=(12, 4.5))
    lots = city.shares[city.of_use(use)]
    if len(lots):
        means = hourly_means(lots, city.start_s, QUARTER_S)
        means = means / np.maximum(means.max(axis=1, keepdims=True), 1e-9)
        _draw_hours(hours, means, "simulated")
    theirs = [lot for lot in real.stays if lot.land_use == use]
    for lot in theirs:
        hours.plot(_HOURS, lot.hours, label=f"real: {lot.lot}")
    note = "" if theirs else " (no real stays: an assumption)"
    _finish(hours, f"{use}, Monday to Friday", "hour", "occupied, over the lot's highest hour")
    drawn = np.sort(draw_stays(parameters.land_uses[use], np.random.default_rng(0)))
    shares = (np.arange(QUANTILES) + 0.5) / QUANTILES
    stays.plot(np.quantile(drawn, shares), shares, label="simulated")
    for lot in theirs:
        stays.plot(lot.minutes, shares, label=f"real: {lot.lot}")
    stays.set_xscale("log")
    _finish(stays, f"stays{note}", "minutes", "share of stays up to it")
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _draw_hours(
    axes: Axes, lots: np.ndarray[tuple[int, ...], np.dtype[np.float64]], name: str
) -> None:
    low, high = np.nanpercentile(lots, (10, 90), axis=0)
    axes.fill_between(_HOURS, low, high, alpha=0.2, label=f"{name}: 10 to 90 %")
    axes.plot(_HOURS, np.nanmean(lots, axis=0), label=f"{name}: mean of lots")


def _finish(axes: Axes, title: str, x: str, y: str) -> None:
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(alpha=0.3)
    axes.set_ylim(0, 1.02)
    axes.legend(fontsize="small")
