"""What one stretch of load consists of, handed to the process that makes it."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from load_tests.catalogue import Lot
from load_tests.target import Gateway, Target


@dataclass(frozen=True)
class Mix:
    """Who loads the city, and how hard; a rate of 0 leaves them out.

    Attributes:
        nearest_per_s: `/v1/nearest` asked by drivers.
        follow_share: Share of drivers who then look at a lot, and at its bays or the bays nearby.
        observations_per_s: Bays that operators report.
        bays_per_message: Changes that a gateway gathers in a message.
        city_every_s: Operations' look at `/v1/city`.
    """

    nearest_per_s: float
    follow_share: float
    observations_per_s: float
    bays_per_message: int
    city_every_s: float


@dataclass(frozen=True)
class Plan:
    """One stretch of load.

    Attributes:
        http: The API's base URL.
        mqtt_host: Where the broker listens.
        mqtt_port: Its port.
        mix: Who and how hard.
        warm_up_s: Left out of every figure.
        duration_s: Measured.
        lots: The city.
        gateways: Who reports in this stretch: of each operator one, with all of its lots.
        seed: For places, chances and bays.
    """

    http: str
    mqtt_host: str
    mqtt_port: int
    mix: Mix
    warm_up_s: float
    duration_s: float
    lots: tuple[Lot, ...]
    gateways: tuple[Gateway, ...]
    seed: int

    def write(self, path: Path) -> None:
        """Write it to a file; it holds passwords, so nobody else may read it."""
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` wrote."""
        fields = json.loads(path.read_text(encoding="utf-8"))
        fields["mix"] = Mix(**fields["mix"])
        fields["lots"] = tuple(Lot(**lot) for lot in fields["lots"])
        fields["gateways"] = tuple(
            Gateway(**{**gateway, "lots": tuple(gateway["lots"])}) for gateway in fields["gateways"]
        )
        return cls(**fields)

    def lots_of(self, gateway: Gateway) -> list[Lot]:
        """Look up the lots that a gateway reports for."""
        names = set(gateway.lots)
        return [lot for lot in self.lots if lot.lot_id in names]


@contextmanager
def written(plan: Plan, path: Path) -> Iterator[Path]:
    """Keep a plan in a file for as long as it is needed."""
    try:
        plan.write(path)
        yield path
    finally:
        path.unlink(missing_ok=True)


def operators_gateways(target: Target, lots: Sequence[Lot], *, simulated: bool) -> list[Gateway]:
    """Choose one gateway of each operator, to report for all of the operator's lots.

    Args:
        target: Whose gateways there are.
        lots: The city.
        simulated: Whether gateways that the simulator drives are meant, or the others.
    """
    operator_of = {lot.lot_id: lot.operator_id for lot in lots}
    chosen: dict[str, Gateway] = {}
    for gateway in target.gateways:
        known = [operator_of[lot] for lot in gateway.lots if lot in operator_of]
        if known and gateway.simulated is simulated:
            chosen.setdefault(known[0], gateway)
    return [
        Gateway(
            gateway.username,
            gateway.password,
            tuple(lot for lot, owner in operator_of.items() if owner == operator),
            gateway.simulated,
        )
        for operator, gateway in chosen.items()
    ]
