"""Who runs the lots, and which gateway reports for each."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from simulators.city.apportion import apportion
from simulators.city.ground import read_rows
from simulators.city.siting import Site

TRY_OPERATOR: Final = "op-try"
TRY_GATEWAY: Final = "gw-try"
FULL_SIZE: Final = 1670
"""Lots of the whole city, for which the operators' file and the gateways are meant."""
GATEWAYS: Final = 200
_OWN_DISTRICT: Final = 5.0
_OWN_LAND_USE: Final = 3.0


@dataclass(frozen=True)
class Operator:
    """A company that runs lots.

    Attributes:
        operator_id: As in the import format.
        name_zh: Chinese name.
        name_en: English name.
        share: Weight among the operators that could run a lot.
        districts: Codes of the districts where it works; empty for all.
        land_uses: Land uses of the lots that it runs; empty for all.
    """

    operator_id: str
    name_zh: str
    name_en: str
    share: float
    districts: frozenset[str]
    land_uses: frozenset[str]

    def appeal(self, site: Site) -> float:
        """Weight for a lot: 5 times in its own district, 3 times for its own land use."""
        district = _match(site.district, self.districts, _OWN_DISTRICT)
        return self.share * district * _match(site.land_use, self.land_uses, _OWN_LAND_USE)


@dataclass(frozen=True)
class Gateway:
    """A device that reports for lots of one operator; `simulated` if `simulators run` drives it."""

    gateway_id: str
    operator_id: str
    simulated: bool


def _match(value: str, wanted: frozenset[str], bonus: float) -> float:
    if not wanted:
        return 1.0
    return bonus if value in wanted else 0.0


def load_operators() -> tuple[Operator, ...]:
    """All operators, largest first, the one to try last."""
    return tuple(
        Operator(
            operator_id=row["operator_id"],
            name_zh=row["name_zh"],
            name_en=row["name_en"],
            share=float(row["share"]),
            districts=frozenset(filter(None, row["districts"].split("|"))),
            land_uses=frozenset(filter(None, row["land_uses"].split("|"))),
        )
        for row in read_rows("operators.csv")
    )


def assign_operators(sites: Sequence[Site], rng: np.random.Generator) -> list[str]:
    """Choose the operator of each lot.

    A small city has fewer operators, in proportion to the square root of its lots, so that an
    operator still has more than one.

    Args:
        sites: The lots, without those to try.
        rng: The only source of chance.

    Returns:
        An operator id for each lot.
    """
    candidates = [o for o in load_operators() if o.operator_id != TRY_OPERATOR]
    active = round(len(candidates) * (len(sites) / FULL_SIZE) ** 0.5)
    chosen = candidates[: min(len(candidates), max(3, active))]
    picks = rng.random(len(sites))
    return [_pick(chosen, site, pick) for site, pick in zip(sites, picks, strict=True)]


def _pick(candidates: Sequence[Operator], site: Site, pick: float) -> str:
    shares = np.cumsum([operator.appeal(site) for operator in candidates])
    chosen = int(np.searchsorted(shares, pick * shares[-1], "right"))
    return candidates[chosen].operator_id


def assign_gateways(
    operator_ids: Sequence[str], sites: Sequence[Site]
) -> tuple[list[str], list[Gateway]]:
    """Give each operator its gateways, and each gateway neighbouring lots.

    Args:
        operator_ids: The operator of each lot.
        sites: The lots' ground, in the same order.

    Returns:
        The gateway id of each lot, and the gateways in the order of their ids.
    """
    members: defaultdict[str, list[int]] = defaultdict(list)
    for i in sorted(range(len(sites)), key=lambda i: (sites[i].district, sites[i].longitude, i)):
        members[operator_ids[i]].append(i)
    owners = sorted(members)
    total = max(len(owners), round(GATEWAYS * (len(sites) + 2) / FULL_SIZE) - 1)
    numbers = apportion(total, [len(members[o]) for o in owners], minimum=1)
    of_lot = [""] * len(sites)
    gateways = []
    for owner, number in zip(owners, numbers, strict=True):
        parts = np.array_split(np.array(members[owner]), min(number, len(members[owner])))
        for k, part in enumerate(parts, start=1):
            gateway_id = f"gw-{owner.removeprefix('op-')}-{k:02d}"
            gateways.append(Gateway(gateway_id, owner, simulated=True))
            for i in part:
                of_lot[int(i)] = gateway_id
    return of_lot, sorted(gateways, key=lambda gateway: gateway.gateway_id)
