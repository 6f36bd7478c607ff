"""How many stays of two hours are priced in a second of one core."""

from typing import Final

from load_tests.bench.city import City
from load_tests.bench.results import Goal, Part, figure
from load_tests.pricing_bench import measure, tariffs

_GOAL: Final = Goal(50_000)


def quotes(city: City) -> Part:
    """Measure quotes of the tariffs of `load_tests.pricing_bench`; seconds are of a core."""
    part = Part("quotes")
    for tariff in tariffs():
        vehicle = "large" if tariff.vehicles else "small"
        rounds = [measure(tariff, vehicle, city.seconds / 4)[0] for _ in range(city.rounds)]
        part.figures.append(
            figure(
                f"quote_{tariff.id}",
                f"quote of two hours, tariff `{tariff.id}`",
                [1 / seconds for seconds in rounds],
                unit="quotes/s of a core",
                goal=_GOAL,
            )
        )
    return part
