"""Scenarios: a morning peak, the end of a match, a storm of gateways, a ramp to the limit."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from load_tests.crowds import QUESTIONS_PER_ARRIVAL, match, morning
from load_tests.plan import Mix
from load_tests.stages import Session, Stage, everyday
from load_tests.target import TargetError
from simulators.fleet import DEFAULT_SEED

# A match of 50,000 ends: 9,000 drivers ask within ten seconds.
CROWD_PER_S: Final = 900.0
STORM_EVERY_S: Final = 6.0
# So many bodies are checked where checking all would be most of the load.
_CHECKED_SHARE: Final = 0.05
_RAMP_FROM_PER_S: Final = 200.0
_RAMP_WITHIN_S: Final = 180.0

Scenario = Callable[[Session, Mix, float], Stage]


def morning_peak(session: Session, mix: Mix, duration_s: float) -> Stage:
    """Let drivers of the simulators' demand model come and go, and ask before they come."""
    _require_all(session)
    # The demo's own lots in demand: its seed.
    arrivals, departures = morning(session.lots, round(duration_s), DEFAULT_SEED)
    visits = tuple(tuple(QUESTIONS_PER_ARRIVAL * one for one in row) for row in arrivals)
    plan = session.plan(mix, duration_s, session.operators())
    plan = replace(plan, visits=visits, arrivals=arrivals, departures=departures)
    return everyday(session, "morning", plan)


def burst(session: Session, mix: Mix, duration_s: float) -> Stage:
    """Let a crowd ask at one place, on top of an ordinary day."""
    plan = session.plan(replace(mix, checked_share=_CHECKED_SHARE), duration_s, session.operators())
    visits = match(session.lots, round(duration_s), mix.nearest_per_s, CROWD_PER_S)
    return everyday(session, "burst", replace(plan, visits=visits))


def storm(session: Session, mix: Mix, duration_s: float) -> Stage:
    """Let all gateways lose their connections at once and report every lot, while drivers ask."""
    _require_all(session)
    every = [one for one in session.target.gateways if one.simulated and one.lots]
    plan = replace(session.plan(mix, duration_s, every), storm_every_s=STORM_EVERY_S)
    return everyday(session, "storm", plan)


def ramp(session: Session, mix: Mix, duration_s: float) -> Stage:
    """Raise the drivers' rate until p99 is 50 ms or an answer is wrong; the rest stays as it is."""
    plan = session.plan(replace(mix, checked_share=_CHECKED_SHARE), duration_s, session.operators())
    return everyday(session, "ramp", replace(plan, ramp_from_per_s=_RAMP_FROM_PER_S))


def _require_all(session: Session) -> None:
    if not session.drives_all:
        raise TargetError("this scenario needs every gateway: the simulator must be put aside")


# Each with its seconds; the ramp ends by itself.
SCENARIOS: Final[Mapping[str, tuple[Scenario, float]]] = {
    "morning": (morning_peak, 30.0),
    "burst": (burst, 30.0),
    "storm": (storm, 24.0),
    "ramp": (ramp, _RAMP_WITHIN_S),
}
