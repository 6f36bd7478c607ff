"""The parameters of demand: their file's shape, and reading it.

`demand.json` beside this file is the demo's own. `python -m simulators fit` writes the same shape.
"""

import re
from pathlib import Path
from typing import Annotated, Literal

import msgspec

QUARTERS = 96
HOURS = 24

LandUseName = Literal[
    "hospital",
    "school",
    "scenic",
    "station",
    "mall",
    "market",
    "office",
    "hotel",
    "housing",
    "industrial",
    "street",
]
LAND_USES: tuple[LandUseName, ...] = LandUseName.__args__  # type: ignore[attr-defined]

DEMO_FILE = Path(__file__).parent / "data" / "demand.json"

Positive = Annotated[float, msgspec.Meta(gt=0)]
NotNegative = Annotated[float, msgspec.Meta(ge=0)]
# Of one day for the next: 0 forgets, and at 1 a level would wander without bounds.
Memory = Annotated[float, msgspec.Meta(ge=0, lt=1)]
Day = Annotated[tuple[NotNegative, ...], msgspec.Meta(min_length=QUARTERS, max_length=QUARTERS)]


class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole file.

    Attributes:
        sources: what was measured, by whom, and the licence.
        city: what all lots share.
        land_uses: demand by land use; every one of LAND_USES.
    """

    sources: list["Source"]
    city: "City"
    land_uses: dict[LandUseName, "LandUse"]

    def __post_init__(self) -> None:
        """Refuse a file that leaves a land use out.

        Raises:
            ValueError: land uses are missing.
        """
        missing = [name for name in LAND_USES if name not in self.land_uses]
        if missing:
            raise ValueError(f"no demand of {', '.join(missing)}")


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Whom figures are from, and on which terms."""

    name: str
    licence: str
    what: str
    url: str = ""


class Level(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far days differ: the logarithm of arrivals over their mean, AR(1) from day to day.

    Attributes:
        sd: standard deviation over days.
        memory: correlation of a day with the next.
    """

    sd: NotNegative
    memory: Memory


class City(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """What all lots of a city share."""

    level: Level
    from_: str


class Arrivals(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Relative arrivals by local quarter of an hour; all three kinds of day in one unit."""

    workday: Day
    saturday: Day
    sunday: Day
    from_: str

    def __post_init__(self) -> None:
        """Refuse demand that never comes.

        Raises:
            ValueError: a kind of day has no arrivals at all.
        """
        if not (any(self.workday) and any(self.saturday) and any(self.sunday)):
            raise ValueError("a day without arrivals")


class Component(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A log-normal distribution of stays.

    Attributes:
        median_min: median in minutes.
        sigma: standard deviation of the natural logarithm.
    """

    median_min: Positive
    sigma: Positive


class Stays(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """How long those stay who arrive in an hour: a mixture of the components.

    Attributes:
        components: the distributions, at least one.
        weights: a weight a component for each of the 24 hours of arrival; each row's sum is 1.
    """

    components: Annotated[list[Component], msgspec.Meta(min_length=1)]
    weights: Annotated[list[list[NotNegative]], msgspec.Meta(min_length=HOURS, max_length=HOURS)]
    from_: str

    def __post_init__(self) -> None:
        """Refuse weights that are no distribution.

        Raises:
            ValueError: an hour has another number of weights, or they do not add up to 1.
        """
        for hour, weights in enumerate(self.weights):
            if len(weights) != len(self.components):
                raise ValueError(f"hour {hour} needs {len(self.components)} weights")
            if abs(sum(weights) - 1) > 1e-3:  # noqa: PLR2004 - they are written rounded
                raise ValueError(f"the weights of hour {hour} do not add up to 1")


class Peak(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Spread of lots' peaks of expected occupancy; above 1 a lot fills and turns drivers away."""

    mean: Positive
    sd: NotNegative
    from_: str


class Wander(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far arrivals of a lot wander within days: log scale, correlation exp(-t / hours).

    Attributes:
        sd: standard deviation of the logarithm of arrivals over their mean.
        hours: time in which the correlation falls to 1/e.
    """

    sd: NotNegative
    hours: Positive


class Weekdays(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """How far lots differ in their weekdays.

    Attributes:
        sd: standard deviation of the logarithm of a lot's arrivals on one weekday over those of
            its land use.
    """

    sd: NotNegative
    from_: str


class LandUse(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    rename={"from_": "from"},
):
    """Demand of one land use.

    Attributes:
        arrivals: when drivers come.
        stays: how long they stay.
        peak: how full lots are at their fullest.
        level: the use's own day, shared by its lots.
        lot_level: each lot's own day.
        wander: each lot's own hours.
        weekdays: each lot's own weekdays.
        from_: where the levels are from.
    """

    arrivals: Arrivals
    stays: Stays
    peak: Peak
    level: Level
    lot_level: Level
    wander: Wander
    from_: str
    weekdays: Weekdays = Weekdays(
        0.25, "assumed: with the levels, a day is then as like the next as in real lots"
    )


def load(path: Path | None = None) -> Parameters:
    """Read a parameters file, by default the demo's own.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no parameters file; the message names the file and the field.
    """
    file = path or DEMO_FILE
    try:
        return msgspec.json.decode(file.read_bytes(), type=Parameters)
    except msgspec.DecodeError as error:
        raise ValueError(f"{file}: {error}") from error


def dump(parameters: Parameters) -> bytes:
    """Return a parameters file, indented, each list of numbers on one line.

    Raises:
        ValueError: a number is none, or breaks a rule, so that `load` would refuse it.
    """
    encoded = msgspec.json.encode(parameters)
    msgspec.json.decode(encoded, type=Parameters)
    text = msgspec.json.format(encoded, indent=1)
    return re.sub(rb"\[[^\[\]{}\"]*\]", lambda found: b" ".join(found[0].split()), text) + b"\n"
