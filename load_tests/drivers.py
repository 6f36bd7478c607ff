"""Drivers: what is free near where they go, then one lot of the answer, then its bays."""

from time import perf_counter
from typing import Any
from urllib.parse import urlencode

from locust import task

from load_tests.arrivals import Arrivals
from load_tests.asking import AskingUser
from load_tests.bodies import (
    NearestAsk,
    check_lot,
    check_lot_spaces,
    check_nearest,
    check_nearest_spaces,
)
from load_tests.kinds import EMPTY, LOT, LOT_SPACES, NEAREST, NEAREST_SPACES


class Driver(AskingUser):
    """One of many, who together ask for `/v1/nearest` at the plan's rate."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take a share of the rate."""
        super().__init__(*args, **kwargs)
        self.arrivals = Arrivals(self.world.driver_per_s, self.random)

    def wait_time(self) -> float:
        """Come at the moments of a Poisson process."""
        return self.arrivals.wait_s(perf_counter())

    def on_start(self) -> None:
        """Wait for the first moment."""
        self.wait()  # type: ignore[no-untyped-call]

    @task
    def look_for_a_space(self) -> None:
        """Make one driver's journey; the first answer's latency begins when it was due."""
        ask = self._wish()
        body = self.ask(
            f"{NEAREST}?{_query(ask)}",
            NEAREST,
            lambda body: check_nearest(body, ask, self.world.lots),
            due_s=self.arrivals.due_s,
        )
        if body is None:
            return
        if not body["lots"]:
            self.world.counted[EMPTY] += 1
        elif self.random.random() < self.world.plan.mix.follow_share:
            self._look_closer(ask, self.random.choice(body["lots"][:3])["lot_id"])

    def _wish(self) -> NearestAsk:
        """Most want any space nearby; some want a charger, a group of spaces, or to walk less."""
        longitude, latitude = self.world.places.draw(self.random)
        chance = self.random.random()
        if chance < 0.1:  # noqa: PLR2004 - shares of wishes
            return NearestAsk(longitude, latitude, space_class="ev")
        if chance < 0.2:  # noqa: PLR2004
            return NearestAsk(longitude, latitude, min_free=10)
        if chance < 0.3:  # noqa: PLR2004
            return NearestAsk(longitude, latitude, limit=5, radius_m=800.0)
        return NearestAsk(longitude, latitude)

    def _look_closer(self, ask: NearestAsk, lot_id: str) -> None:
        lot = self.world.lots[lot_id]
        self.ask(f"/v1/lots/{lot_id}", LOT, lambda body: check_lot(body, lot))
        if lot.reporting == "bays" and self.random.random() < 0.5:  # noqa: PLR2004 - one in two
            path = f"/v1/lots/{lot_id}/spaces"
            self.ask(path, LOT_SPACES, lambda body: check_lot_spaces(body, lot))
        else:
            near = NearestAsk(ask.longitude, ask.latitude)
            self.ask(
                f"{NEAREST_SPACES}?{_query(near)}",
                NEAREST_SPACES,
                lambda body: check_nearest_spaces(body, near, self.world.lots),
            )


def _query(ask: NearestAsk) -> str:
    """Write the parameters; those at their defaults are left out."""
    given: dict[str, object] = {"lon": ask.longitude, "lat": ask.latitude}
    usual = NearestAsk(ask.longitude, ask.latitude)
    for name in ("limit", "radius_m", "min_free", "space_class"):
        if getattr(ask, name) != getattr(usual, name):
            given[name] = getattr(ask, name)
    return urlencode(given)
