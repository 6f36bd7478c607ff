"""The whole city from a number of lots and a seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from simulators.city.apportion import apportion
from simulators.city.bays import Bays, lay_out_bays
from simulators.city.capacities import (
    BAYS_PER_LOT,
    draw_capacities,
    draw_types,
    levels_of,
    settle_type,
)
from simulators.city.ground import District, load_districts
from simulators.city.lots import BAYS_SHARE, Lot, fit_out
from simulators.city.names import name_lots
from simulators.city.operators import (
    TRY_GATEWAY,
    TRY_OPERATOR,
    Gateway,
    Operator,
    assign_gateways,
    assign_operators,
    load_operators,
)
from simulators.city.siting import ADDRESS_SHARE, ON_STREET_SHARE, Site, site_lots

FEWEST_LOTS: Final = 5
MOST_LOTS: Final = 20_000

TRY_LOTS: Final = (
    Lot(
        lot_id="370202-0001",
        operator_id=TRY_OPERATOR,
        gateway_id=TRY_GATEWAY,
        district="370202",
        name_zh="五四广场体验停车场（车位感应）",
        name_en="May Fourth Square Try-out Parking (bay sensors)",
        lot_type="surface",
        land_use="scenic",
        reporting="bays",
        capacity=60,
        levels=1,
        height_limit_m=None,
        hours=None,
        longitude=120.3797,
        latitude=36.0631,
        bearing_rad=0.15,
    ),
    Lot(
        lot_id="370202-0002",
        operator_id=TRY_OPERATOR,
        gateway_id=TRY_GATEWAY,
        district="370202",
        name_zh="五四广场体验停车场（出入口计数）",
        name_en="May Fourth Square Try-out Parking (gate counting)",
        lot_type="underground",
        land_use="scenic",
        reporting="count",
        capacity=120,
        levels=1,
        height_limit_m=2.2,
        hours=None,
        longitude=120.3783,
        latitude=36.0634,
        bearing_rad=0.15,
    ),
)
"""The lots for people to try with: one with bay sensors, one that counts at its gates."""


@dataclass(frozen=True)
class City:
    """All that the files of a city hold."""

    districts: tuple[District, ...]
    operators: tuple[Operator, ...]
    gateways: tuple[Gateway, ...]
    lots: tuple[Lot, ...]
    bays: Bays


def build_city(lot_count: int, seed: int) -> City:
    """Build a city.

    Args:
        lot_count: Lots in all, with the two to try: FEWEST_LOTS..MOST_LOTS.
        seed: The same seed and count give the same city.

    Returns:
        The city: exactly `lot_count` lots with BAYS_PER_LOT bays each on average, the lots in
        the order of their ids.

    Raises:
        ValueError: If `lot_count` is out of range.
    """
    if not FEWEST_LOTS <= lot_count <= MOST_LOTS:
        raise ValueError(f"lots must be {FEWEST_LOTS}..{MOST_LOTS}, not {lot_count}")
    districts = load_districts()
    site_rng, lot_rng, operator_rng = np.random.default_rng(seed).spawn(3)
    sites = _site_all(districts, lot_count, site_rng)
    operator_ids = assign_operators(sites, operator_rng)
    gateway_of, gateways = assign_gateways(operator_ids, sites)
    lots = (*TRY_LOTS, *_complete(sites, operator_ids, gateway_of, lot_count, lot_rng))
    lots = tuple(sorted(lots, key=lambda lot: lot.lot_id))
    active = {lot.operator_id for lot in lots}
    return City(
        districts=districts,
        operators=tuple(o for o in load_operators() if o.operator_id in active),
        gateways=(*gateways, Gateway(TRY_GATEWAY, TRY_OPERATOR, simulated=False)),
        lots=lots,
        bays=lay_out_bays(lots),
    )


def _site_all(
    districts: Sequence[District], lot_count: int, rng: np.random.Generator
) -> list[Site]:
    """Find the ground of all lots, except for the two to try, which have theirs."""
    quotas = apportion(lot_count, [district.lot_share for district in districts])
    home = next(i for i, d in enumerate(districts) if d.adcode == TRY_LOTS[0].district)
    quotas[home] = max(quotas[home] - len(TRY_LOTS), 0)
    # In the smallest cities the lots to try can be more than their district's share.
    quotas[quotas.index(max(quotas))] -= sum(quotas) - (lot_count - len(TRY_LOTS))
    on_street = apportion(round(ON_STREET_SHARE * sum(quotas)), quotas)
    at_address = apportion(round(ADDRESS_SHARE * sum(quotas)), quotas)
    taken = [(lot.longitude, lot.latitude) for lot in TRY_LOTS]
    sites: list[Site] = []
    for district, quota, address, street in zip(
        districts, quotas, at_address, on_street, strict=True
    ):
        street_lots = min(street, quota)
        address_lots = min(address, quota - street_lots)
        counts = (quota - street_lots - address_lots, address_lots, street_lots)
        sites += site_lots(district, counts, taken, rng)
    return sites


def _complete(
    sites: Sequence[Site],
    operator_ids: Sequence[str],
    gateway_of: Sequence[str],
    lot_count: int,
    rng: np.random.Generator,
) -> list[Lot]:
    land_uses = [site.land_use for site in sites]
    drawn = draw_types(land_uses, rng)
    total = lot_count * BAYS_PER_LOT - sum(lot.capacity for lot in TRY_LOTS)
    sized = [(kind, s.land_use, s.importance) for kind, s in zip(drawn, sites, strict=True)]
    capacities = draw_capacities(total, sized, rng)
    types = [settle_type(*one) for one in zip(drawn, land_uses, capacities, strict=True)]
    names = name_lots(sites, types)
    reporting = _draw_reporting(lot_count, rng)
    serials = {TRY_LOTS[0].district: len(TRY_LOTS)}
    lots = []
    for i, site in enumerate(sites):
        serials[site.district] = serials.get(site.district, 0) + 1
        height_limit_m, hours = fit_out(types[i], site.land_use, rng)
        lots.append(
            Lot(
                lot_id=f"{site.district}-{serials[site.district]:04d}",
                operator_id=operator_ids[i],
                gateway_id=gateway_of[i],
                district=site.district,
                name_zh=names[i][0],
                name_en=names[i][1],
                lot_type=types[i],
                land_use=site.land_use,
                reporting=reporting[i],
                capacity=capacities[i],
                levels=levels_of(types[i], capacities[i]),
                height_limit_m=height_limit_m,
                hours=hours,
                longitude=site.longitude,
                latitude=site.latitude,
                bearing_rad=site.bearing_rad,
            )
        )
    return lots


def _draw_reporting(lot_count: int, rng: np.random.Generator) -> list[str]:
    """Draw how the lots without the two to try report, so that the city has its share."""
    tried = sum(lot.reporting == "bays" for lot in TRY_LOTS)
    sensing = round(BAYS_SHARE * lot_count) - tried
    kinds = ["bays"] * sensing + ["count"] * (lot_count - len(TRY_LOTS) - sensing)
    return [str(kind) for kind in rng.permutation(kinds)]
