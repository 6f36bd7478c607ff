"""How much more two processes of the API answer than one."""

from typing import Final

from load_tests.bench.city import OURS, City, api_settings
from load_tests.bench.results import Part
from load_tests.bench.servers import api

_TWO: Final = "OneLot, two workers"


def two_workers(city: City) -> Part:
    """Measure `/v1/nearest` from one process and from two."""
    part, asked = Part("two workers"), city.paths("/v1/nearest")
    settings = api_settings(city.target, "platform-api")
    with api(_TWO, settings, city.reports, workers=2) as two:
        duel = city.turns().measure([city.api, two], asked)
    part.figures += [
        duel.ratio("workers", _TWO, OURS, "/v1/nearest, two workers / one", None),
        duel.speed("workers_one", OURS, "one worker, answers a second"),
        duel.speed("workers_two", _TWO, "two workers, answers a second"),
    ]
    part.runs += [run.as_dict() for run in duel.runs]
    return part
