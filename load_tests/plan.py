"""The plan of one stage, for the process that makes the load."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import msgspec

from load_tests.catalogue import Lot
from load_tests.target import Target
from simulators.registry import Broker, Credentials

# By second and lot.
Rows = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Mix:
    """Who loads the city, and how hard; a rate of 0 leaves them out.

    Attributes:
        nearest_per_s: `/v1/nearest` asked by drivers.
        follow_share: Share of drivers who then look at a lot, and at its bays or the bays nearby.
        observations_per_s: Bays that operators report.
        bays_per_message: Changes that a gateway gathers in a message.
        city_every_s: Operations' look at `/v1/city`.
        count_share: Share of the operators' messages that are counts, where some lots count.
        from_due: Whether a message's latency begins when it was due, not when it was sent.
        checked_share: Share of drivers' answers whose body is checked; the status always is.
    """

    nearest_per_s: float = 0.0
    follow_share: float = 0.0
    observations_per_s: float = 0.0
    bays_per_message: int = 1
    city_every_s: float = 0.0
    count_share: float = 0.0
    from_due: bool = False
    checked_share: float = 1.0


@dataclass(frozen=True)
class Plan:
    """The load of one stage.

    Attributes:
        http: The API's base URL.
        mqtt: Where the broker listens.
        mix: Who and how hard.
        warm_up_s: Left out of every figure.
        duration_s: Measured.
        lots: The city.
        gateways: Those that report: of each operator one, with all of its lots.
        seed: For places, chances and bays.
        visits: Drivers' questions per second near each lot, a row for each measured second; the
            first holds through the warm-up, the last until the end. Empty: the mix's rate.
        arrivals: Likewise drivers who park in each lot. Empty: the mix's observations.
        departures: Likewise drivers who leave.
        storm_every_s: Seconds from one moment at which all gateways lose their connections, and
            then report anew, to the next; 0: they do not.
        ramp_from_per_s: Questions per second from which the highest load is searched; 0: it is not.
    """

    http: str
    mqtt: Broker
    mix: Mix
    warm_up_s: float
    duration_s: float
    lots: tuple[Lot, ...]
    gateways: tuple[Credentials, ...]
    seed: int
    visits: Rows = ()
    arrivals: Rows = ()
    departures: Rows = ()
    storm_every_s: float = 0.0
    ramp_from_per_s: float = 0.0

    def second(self, passed_s: float, rows: Rows) -> int:
        """Return the row for a moment, in seconds since the warm-up began."""
        return min(max(int(passed_s - self.warm_up_s), 0), len(rows) - 1)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file of `written`."""
        return msgspec.json.decode(path.read_bytes(), type=cls)

    def lots_of(self, gateway: Credentials) -> list[Lot]:
        """Look up the lots that a gateway reports for."""
        names = set(gateway.lots)
        return [lot for lot in self.lots if lot.lot_id in names]


@contextmanager
def written(plan: Plan, path: Path) -> Iterator[Path]:
    """Keep a plan in a file during the context; it holds passwords: nobody else may read it."""
    path.touch(mode=0o600)
    try:
        path.write_bytes(msgspec.json.encode(plan))
        yield path
    finally:
        path.unlink(missing_ok=True)


def operators_gateways(
    target: Target, lots: Sequence[Lot], *, simulated: bool
) -> list[Credentials]:
    """Choose one gateway of each operator, to report for all of the operator's lots.

    Args:
        target: Whose gateways there are.
        lots: The city.
        simulated: Whether gateways that the simulator drives are meant, or the others.
    """
    operator_of = {lot.lot_id: lot.operator_id for lot in lots}
    chosen: dict[str, Credentials] = {}
    for gateway in target.gateways:
        known = [operator_of[lot] for lot in gateway.lots if lot in operator_of]
        if known and gateway.simulated is simulated:
            chosen.setdefault(known[0], gateway)
    return [
        replace(gateway, lots=tuple(lot for lot, owner in operator_of.items() if owner == operator))
        for operator, gateway in chosen.items()
    ]
